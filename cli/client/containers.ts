import type { ContainerCreateResponse, ContainerInspect, ContainerWait } from '#contract/types.gen.ts'
import type { Client } from './client.ts'
import type { CreateBody } from './wire.ts'

export function containerPath(name: string, verb = ''): string {
  return `/containers/${encodeURIComponent(name)}${verb}`
}

export async function createContainer(
  client: Client,
  body: CreateBody,
  { name, platform }: { readonly name: string; readonly platform: string },
): Promise<ContainerCreateResponse> {
  return await client.json<ContainerCreateResponse>('POST', '/containers/create', {
    body,
    query: { name: name === '' ? undefined : name, platform: platform === '' ? undefined : platform },
  })
}

export async function startContainer(client: Client, id: string, detachKeys = ''): Promise<void> {
  await client.send('POST', containerPath(id, '/start'), {
    query: { detachKeys: detachKeys === '' ? undefined : detachKeys },
  })
}

export async function inspectContainer(client: Client, name: string): Promise<ContainerInspect> {
  return await client.json<ContainerInspect>('GET', containerPath(name, '/json'))
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

/** Resolves when the engine is watching; the result then comes when the container has ended (or is removed). */
export async function openWait(
  client: Client,
  id: string,
  condition: WaitCondition,
): Promise<{ readonly result: Promise<ContainerWait> }> {
  const { body } = await client.stream('POST', containerPath(id, '/wait'), {
    query: { condition: condition === 'not-running' ? undefined : condition },
  })
  const result = (async () => {
    const parts: Buffer[] = []
    for await (const part of body) parts.push(part)
    return JSON.parse(Buffer.concat(parts).toString()) as ContainerWait
  })()
  // Whoever fails before asking for the result has a better error to tell.
  result.catch(() => {})
  return { result }
}
