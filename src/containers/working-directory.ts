import { dirname } from 'node:path'
import { invalid } from '#base/errors.ts'
import { clean } from './clean-path.ts'
import type { LayerView } from './spec/layer-view.ts'

/** The working directory is made where it is missing; where something else is in its place, that is said at create.   @throws `invalid` */
export function checkWorkingDirectory(view: LayerView, workingDir: string): void {
  for (let path = clean(workingDir || '/'); path !== '/'; path = dirname(path)) {
    const found = view.find(path)
    if (found?.kind === 'other') throw invalid(`Cannot mkdir: ${workingDir} is not a directory`)
    if (found) return
  }
}
