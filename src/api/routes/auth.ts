import { decodeAuthConfig } from '#contract/validate.gen.ts'
import { type Route, route } from '../call.ts'
import { toRegistryAuth } from '../parse/registry-auth.ts'
import { json } from '../reply.ts'

export const authRoutes: readonly Route[] = [
  route('POST /auth', async ({ body, signal }, engine) => {
    const auth = toRegistryAuth((await body(decodeAuthConfig)) ?? {})
    const token = await engine.images.login(auth.serverAddress ?? '', auth, signal)
    return json({ IdentityToken: token, Status: 'Login Succeeded' })
  }),
]
