/** Bits of what a grant allows. */
export const Permission = { r: 1, w: 2, x: 4, all: 7, any: 0xff } as const;
