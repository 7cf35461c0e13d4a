import type { Library } from './library.ts'

/** What overlayfs writes into its layers and Node cannot read. */
export interface OverlayMarks {
  /** Does the directory (an open descriptor) hide everything of its name in the layers below? */
  isOpaque(directory: number): boolean
}

export function openOverlayMarks(library: Library): OverlayMarks {
  return { isOpaque: (directory) => library.call('berth_overlay_opaque', directory) === 1 }
}
