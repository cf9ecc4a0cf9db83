/**
 * First byte of every binary frame: version 1 of the layouts in the high half, the kind of frame in the low one. A layout that changes
 * gets another first byte, so that a reader never takes one for the other.
 */
export const locKind = 0x11;
export const positionKind = 0x12;
