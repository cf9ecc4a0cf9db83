import { encodeFrame } from './frame-reader.ts';

/** A driver's next `loc` frame: the same bytes again, with new numbers in them. */
export interface LocFrame {
  readonly bytes: Buffer;
  /** Number its fixes from `seq` on and stamp them one millisecond apart, the last with `nowMs`. Free to send again afterwards. */
  renumber(seq: number, nowMs: number): void;
}

/** Seqs have seven digits from the first to the last, so that frames never change their length. */
export const firstSeq = 1_000_000;
const seqDigits = 7;
const timeDigits = 13;
const movingDigits = 4;

/**
 * A frame as an ordinary phone sends it, all fields given. Making it anew costs what its digits cost, not what JSON costs: the
 * generator must not be what is measured.
 *
 * The vehicle drives north, 11 cm a fix.
 */
export function createLocFrame(input: { run: number; tripId: string; fixes: number }): LocFrame {
  const marks: { seq: number; time: number; lat: number }[] = [];
  let text = `{"type":"loc","run":${input.run},"from":${firstSeq},"tripId":"${input.tripId}","fixes":[`;
  for (let fix = 0; fix < input.fixes; fix += 1) {
    text += fix === 0 ? '{"seq":' : ',{"seq":';
    const seq = text.length;
    text += `${'0'.repeat(seqDigits)},"recordedAtMs":`;
    const time = text.length;
    text += `${'0'.repeat(timeDigits)},"lat":41.15`;
    const lat = text.length;
    text += `${'0'.repeat(movingDigits)},"lng":-8.612345,"accuracyMeters":5.5,"speedMps":12.4,"headingDegrees":271.5,"batteryPercent":80}`;
    marks.push({ seq, time, lat });
  }
  const bytes = encodeFrame(`${text}]}`);
  const payload = bytes.length - Buffer.byteLength(`${text}]}`);

  return {
    bytes,
    renumber(firstOfFrame, nowMs) {
      let seq = firstOfFrame;
      let recordedAtMs = nowMs - marks.length + 1;
      for (const mark of marks) {
        writeDigits(bytes, payload + mark.seq, seqDigits, seq);
        writeDigits(bytes, payload + mark.time, timeDigits, recordedAtMs);
        writeDigits(bytes, payload + mark.lat, movingDigits, seq);
        seq += 1;
        recordedAtMs += 1;
      }
    },
  };
}

/** The last `count` digits of a whole number, as ASCII. */
function writeDigits(bytes: Buffer, at: number, count: number, value: number): void {
  let rest = value;
  for (let place = at + count - 1; place >= at; place -= 1) {
    const higher = Math.floor(rest / 10);
    bytes[place] = 48 + rest - higher * 10;
    rest = higher;
  }
}
