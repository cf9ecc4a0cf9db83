/** 8 × 7 bits hold every whole number that JavaScript keeps exactly. */
const maxVarintBytes = 8;

/**
 * Reads a frame from front to back. It never reads outside it and never throws: what is not there reads as 0, and from then on
 * `hasFailed`. So whoever reads looks once, at the end, and before anything that is repeated as often as the frame says.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #hasFailed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Something was cut off, or no number. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Everything was there, and nothing is left. */
  get isDone(): boolean {
    return !this.#hasFailed && this.#at === this.#bytes.length;
  }

  readByte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) return this.#fail();
    this.#at += 1;
    return byte;
  }

  /** @returns a whole number from 0 to 2⁵³ − 1 */
  readVarint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < maxVarintBytes; count += 1) {
      const byte = this.readByte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.#fail();
      factor *= 0x80;
    }
    return this.#fail();
  }

  /** @returns a whole number of either sign, as `writeSigned` wrote it */
  readSigned(): number {
    const value = this.readVarint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** @returns a text of one byte of length and so many characters */
  readText(): string {
    const length = this.readByte();
    if (this.#at + length > this.#bytes.length) {
      this.#fail();
      return '';
    }
    let text = '';
    for (const end = this.#at + length; this.#at < end; this.#at += 1) {
      text += String.fromCharCode(this.#bytes[this.#at] as number);
    }
    return text;
  }

  /** Nothing more is read: a number that was cut off must not go on in what follows. */
  #fail(): 0 {
    this.#hasFailed = true;
    this.#at = this.#bytes.length;
    return 0;
  }
}
