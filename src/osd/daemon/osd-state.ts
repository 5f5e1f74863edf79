/**
 * What an OSD is doing, with Ceph's names (OSD.h):
 *
 *      initializing ──► preboot ──► booting ──► active ──► stopping
 *                        ▲  ▲         ▲           │
 *                        │  └─────────┼───────────┤ wrongly marked down
 *                        │            │           ▼
 *                        └────────────┴── waiting_for_healthy
 */
export const OsdState = {
  Initializing: 'initializing',
  /** Fetches maps until it may ask to be marked up. */
  Preboot: 'preboot',
  /** MOSDBoot was sent; the map does not have it up yet. */
  Booting: 'booting',
  Active: 'active',
  Stopping: 'stopping',
  /** Was marked down, or stands still: boots once enough of its peers answer. */
  WaitingForHealthy: 'waiting_for_healthy',
} as const;
export type OsdState = (typeof OsdState)[keyof typeof OsdState];
