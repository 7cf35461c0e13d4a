import type { Library } from './library.ts'

/** Gives one file an SELinux label, unless its filesystem gives none; a link is not followed. */
export async function setLabel(library: Library, path: string, label: string): Promise<void> {
  await library.wait('berth_label_set', path, label)
}
