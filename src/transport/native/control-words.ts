/**
 * The words in which core and TypeScript tell each other counts and positions, as i32 indices; Control in
 * native/binding/shared_memory.h.
 */
export const Control = {
  sendCount: 0,
  sendOffset: 1,
  sendStart: 2,
  sendTable: 3,
  sendSlot: 4,
  releaseCount: 5,
  deliveredTable: 6,
  deliveredCount: 7,
} as const;
