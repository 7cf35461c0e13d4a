import type { CheckMessage } from '#contract/types.gen.ts'
import type { CheckEvent } from '#images/check/check-event.ts'

export function presentCheckEvent(event: CheckEvent): CheckMessage {
  if ('progress' in event) {
    const { what, done, total } = event.progress
    return { Progress: { What: what, Done: done, Total: total } }
  }
  if ('summary' in event) {
    const { blobs, layers, unrecorded, problems, repaired } = event.summary
    return {
      Summary: { Blobs: blobs, Layers: layers, Unrecorded: unrecorded, Problems: problems, Repaired: repaired },
    }
  }
  const { object, name, problem, details, images, containers, repair, failure } = event.finding
  return {
    Finding: {
      ...{ Object: object, Name: name, Problem: problem, Details: details, Images: images, Containers: containers },
      ...(repair !== undefined && { Repair: repair }),
      ...(failure !== undefined && { Failure: failure }),
    },
  }
}
