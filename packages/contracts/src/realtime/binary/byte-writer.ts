/**
 * Writes one frame after another into a buffer that is large enough for any of them. It is kept between frames, since a new buffer
 * takes longer to make than most frames to write.
 */
export class ByteWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes);
  }

  /** Begin a frame, whatever became of the one before. */
  start(kind: number): void {
    this.#bytes[0] = kind;
    this.#at = 1;
  }

  writeByte(byte: number): void {
    this.#bytes[this.#at++] = byte;
  }

  /** @param value a whole number from 0 to 2⁵³ − 1: seven bits a byte, low ones first, the high bit of a byte says "more" */
  writeVarint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** Zigzag: 0, −1, 1, −2 … become 0, 1, 2, 3 …, so that small differences of either sign are short. */
  writeSigned(value: number): void {
    this.writeVarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** @param text of ASCII, at most 255 characters: one byte of length, one each */
  writeText(text: string): void {
    this.writeByte(text.length);
    for (let index = 0; index < text.length; index += 1) this.writeByte(text.charCodeAt(index));
  }

  /** The frame, in memory of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }
}
