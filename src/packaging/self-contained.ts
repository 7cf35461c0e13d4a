/**
 * Frees a Node executable from libatomic, which small systems lack: Node 26 for x86_64 asks for that library for one function,
 * `__atomic_compare_exchange`, and only ever with 8 bytes. The function is put into the unused end of the code segment's last
 * page, its entry in the procedure linkage table jumps there, and the library is no longer named.
 * @see System V ABI gABI chapter 5 (dynamic linking); glibc elf/dl-version.c
 */

const library = 'libatomic.so.1'
const functionName = '__atomic_compare_exchange'
/** Takes the library's place in the lists; it is loaded anyway. */
const standIn = 'libc.so.6'

/**
 * bool __atomic_compare_exchange(size_t size, void *object, void *expected, void *desired, int, int), for size 8; any other is a trap.
 */
const compareExchange = Buffer.from([
  ...[0x48, 0x83, 0xff, 0x08], // cmp  $8, %rdi
  ...[0x75, 0x16], //             jne  trap
  ...[0x48, 0x8b, 0x02], //       mov  (%rdx), %rax
  ...[0x4c, 0x8b, 0x01], //       mov  (%rcx), %r8
  ...[0xf0, 0x4c, 0x0f, 0xb1, 0x06], // lock cmpxchg %r8, (%rsi)
  ...[0x0f, 0x94, 0xc1], //       sete %cl
  ...[0x74, 0x03], //             je   done
  ...[0x48, 0x89, 0x02], //       mov  %rax, (%rdx)
  ...[0x0f, 0xb6, 0xc1], //       done: movzbl %cl, %eax
  0xc3, //                        ret
  ...[0x0f, 0x0b], //             trap: ud2
])
// jne's distance counts from its own end to the trap.
compareExchange[5] = compareExchange.length - 2 - 6

const [PT_LOAD, PT_DYNAMIC] = [1, 2]
const PF_X = 1
const [DT_NEEDED, DT_STRTAB, DT_SYMTAB, DT_JMPREL, DT_PLTRELSZ, DT_VERNEED] = [1, 5, 6, 23, 2, 0x6ffffffe]
const STB_WEAK = 2
const EM_X86_64 = 62

/** Changes the image in place.   @returns false when there is nothing to do (another machine, or no such dependency) */
export function dropLibatomic(elf: Buffer): boolean {
  if (elf.readUInt16LE(18) !== EM_X86_64) return false
  const image = new Image(elf)
  const needed = image.dynamic.find(({ tag, value }) => tag === DT_NEEDED && image.string(value) === library)
  const replacement = image.dynamic.find(({ tag, value }) => tag === DT_NEEDED && image.string(value) === standIn)
  if (!needed) return false
  if (!replacement) throw new Error(`the executable needs ${library} but not ${standIn}`)

  const slot = image.releaseSymbol(functionName)
  const code = image.append(compareExchange)
  image.redirectLinkage(slot, code)
  elf.writeBigUInt64LE(BigInt(replacement.value), needed.offset + 8)
  image.moveVersions(library, standIn)
  return true
}

interface Segment {
  readonly header: number
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

class Image {
  readonly #elf: Buffer
  readonly #segments: readonly Segment[]
  readonly dynamic: readonly { readonly tag: number; readonly value: number; readonly offset: number }[]

  constructor(elf: Buffer) {
    this.#elf = elf
    const [start, size, count] = [this.#number(32), elf.readUInt16LE(54), elf.readUInt16LE(56)]
    this.#segments = Array.from({ length: count }, (_, index) => {
      const header = start + index * size
      return {
        header,
        type: elf.readUInt32LE(header),
        flags: elf.readUInt32LE(header + 4),
        offset: this.#number(header + 8),
        address: this.#number(header + 16),
        size: this.#number(header + 32),
      }
    })
    const table = this.#segment((segment) => segment.type === PT_DYNAMIC)
    this.dynamic = Array.from({ length: table.size / 16 }, (_, index) => {
      const offset = table.offset + index * 16
      return { tag: this.#number(offset), value: this.#number(offset + 8), offset }
    })
  }

  string(at: number): string {
    const begin = this.#table(DT_STRTAB) + at
    return this.#elf.toString('latin1', begin, this.#elf.indexOf(0, begin))
  }

  /** Makes the imported function optional, and returns the address of its slot in the global offset table. */
  releaseSymbol(name: string): number {
    const [relocations, size] = [this.#table(DT_JMPREL), this.#value(DT_PLTRELSZ)]
    for (let at = relocations; at < relocations + size; at += 24) {
      const symbol = this.#table(DT_SYMTAB) + this.#elf.readUInt32LE(at + 12) * 24
      if (this.string(this.#elf.readUInt32LE(symbol)) !== name) continue
      this.#elf.writeUInt8((STB_WEAK << 4) | (this.#elf.readUInt8(symbol + 4) & 0xf), symbol + 4)
      return this.#number(at)
    }
    throw new Error(`the executable does not import ${name}`)
  }

  /** Puts code behind the end of the code segment, where its last page is empty.   @returns its address */
  append(code: Buffer): number {
    const text = this.#text()
    const at = (text.size + 15) & ~15
    const end = at + code.length
    const room = this.#elf.subarray(text.offset + text.size, text.offset + end)
    const sharesPage = Math.floor((text.address + text.size - 1) / 4096) === Math.floor((text.address + end - 1) / 4096)
    if (!sharesPage || room.some((byte) => byte !== 0)) throw new Error('the code segment has no room at its end')
    code.copy(this.#elf, text.offset + at)
    for (const field of [32, 40]) this.#elf.writeBigUInt64LE(BigInt(end), text.header + field)
    return text.address + at
  }

  /** The stub `jmp *slot(%rip)` becomes `jmp target`. */
  redirectLinkage(slot: number, target: number): void {
    const text = this.#text()
    const stubs: number[] = []
    for (let at = text.offset; at >= 0 && at < text.offset + text.size; at = this.#elf.indexOf('ff25', at + 1, 'hex')) {
      const address = text.address + at - text.offset
      if (this.#elf.readUInt16LE(at) === 0x25ff && address + 6 + this.#elf.readInt32LE(at + 2) === slot) stubs.push(at)
    }
    const [stub, ...others] = stubs
    if (stub === undefined || others.length > 0) throw new Error(`${stubs.length} stubs lead to the slot, not one`)
    this.#elf.writeUInt8(0xe9, stub)
    this.#elf.writeInt32LE(target - (text.address + stub - text.offset + 5), stub + 1)
  }

  /** What was asked of `name` in a certain version is asked of `replacement`, in a version that it is known to define. */
  moveVersions(name: string, replacement: string): void {
    const [from, to] = [this.#versionsOf(name), this.#versionsOf(replacement)]
    this.#elf.copy(this.#elf, from.entry + 4, to.entry + 4, to.entry + 8)
    // Hash and name; the index by which symbols refer to it stays.
    this.#elf.copy(this.#elf, from.version, to.version, to.version + 4)
    this.#elf.copy(this.#elf, from.version + 8, to.version + 8, to.version + 12)
  }

  #versionsOf(name: string): { entry: number; version: number } {
    for (let entry = this.#table(DT_VERNEED), next = 1; next !== 0; entry += next) {
      next = this.#elf.readUInt32LE(entry + 12)
      if (this.string(this.#elf.readUInt32LE(entry + 4)) !== name) continue
      return { entry, version: entry + this.#elf.readUInt32LE(entry + 8) }
    }
    throw new Error(`the executable asks for no version of ${name}`)
  }

  #text(): Segment {
    return this.#segment(({ type, flags }) => type === PT_LOAD && (flags & PF_X) !== 0)
  }

  #segment(wanted: (segment: Segment) => boolean): Segment {
    const found = this.#segments.find(wanted)
    if (!found) throw new Error('the executable lacks a segment that every executable has')
    return found
  }

  #value(tag: number): number {
    const entry = this.dynamic.find((one) => one.tag === tag)
    if (!entry) throw new Error(`the executable lacks the dynamic entry ${tag}`)
    return entry.value
  }

  /** File offset of a table that a dynamic entry names by address. */
  #table(tag: number): number {
    const address = this.#value(tag)
    const { offset, address: base } = this.#segment(
      (one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.size,
    )
    return offset + address - base
  }

  #number(at: number): number {
    return Number(this.#elf.readBigUInt64LE(at))
  }
}
