import type { CheckFinding, CheckSummary } from '#contract/types.gen.ts'
import { shortId } from './human.ts'

const repairs: Readonly<Record<NonNullable<CheckFinding['Repair']>, string>> = {
  rewritten: 'written again',
  fetched: 'fetched again',
  unpacked: 'unpacked again',
  removed: 'removed',
  'set-aside': 'moved to the quarantine; the layer stays usable',
  unlisted: 'no longer listed, moved to the quarantine: pull it again',
}

/** `layer sha256:… is damaged (content etc/motd), used by image busybox:latest, container 0123456789ab: unpacked again` */
export function formatFinding(finding: CheckFinding): string {
  const { Object: object, Name, Problem, Details, Images, Containers, Repair, Failure } = finding
  const details = Details.length === 0 ? '' : ` (${Details.join(', ')})`
  const users = [...Images.map((name) => `image ${name}`), ...Containers.map((id) => `container ${shortId(id)}`)]
  const used = users.length === 0 ? '' : `, used by ${users.join(', ')}`
  const outcome = [...(Repair ? [repairs[Repair]] : []), ...(Failure === undefined ? [] : [Failure])].join(' - ')
  const what = Name === '' ? `the ${object}` : `${object} ${Name}`
  return `${what} is ${Problem}${details}${used}${outcome === '' ? '' : `: ${outcome}`}\n`
}

export function formatSummary(
  { Blobs, Layers, Unrecorded, Problems, Repaired }: CheckSummary,
  repair: boolean,
): string {
  const looked = `Checked ${count(Blobs, 'blob')} and ${count(Layers, 'layer')}`
  const skipped = Unrecorded === 0 ? '' : ` (${count(Unrecorded, 'layer')} without a record yet; check again later)`
  if (Problems === 0) return `${looked}${skipped}: all is well.\n`
  const mended = repair ? `${Repaired} repaired` : 'repair with `system check --repair`'
  return `${looked}${skipped}: ${count(Problems, 'problem')}, ${mended}.\n`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
