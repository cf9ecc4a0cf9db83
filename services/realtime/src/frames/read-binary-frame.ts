import { decodeLocFrame } from '@hushryd/contracts/realtime/binary/loc-frame';
import type { ClientFrame } from '@hushryd/contracts/realtime/client-frames';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { BadFrame } from './read-frame.ts';

/** Read one binary frame: a `loc`, complete and checked, or what is wrong with it. Nothing of the message is kept. */
export function readBinaryFrame(message: ArrayBuffer): { frame: ClientFrame } | BadFrame {
  const decoded = decodeLocFrame(new Uint8Array(message));
  if ('type' in decoded) return { frame: decoded };
  const { code, detail, id } = decoded;
  return { error: new AppError(code, { detail }), reference: { id } };
}
