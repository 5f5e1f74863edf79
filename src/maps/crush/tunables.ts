/**
 * The named profiles of CRUSH tunables, and which release a client must be of to follow them.
 * A cluster keeps the behaviour it was made with until an operator switches the profile.
 */
import { BucketAlgorithm, type CrushTunables } from './map.ts';

const legacyAlgorithms =
  (1 << BucketAlgorithm.uniform) | (1 << BucketAlgorithm.list) | (1 << BucketAlgorithm.straw);
const hammerAlgorithms = legacyAlgorithms | (1 << BucketAlgorithm.straw2);

const argonaut: CrushTunables = {
  chooseLocalTries: 2,
  chooseLocalFallbackTries: 5,
  chooseTotalTries: 19,
  chooseleafDescendOnce: 0,
  chooseleafVaryR: 0,
  chooseleafStable: 0,
  strawCalcVersion: 0,
  allowedBucketAlgorithms: legacyAlgorithms,
};
const bobtail: CrushTunables = {
  ...argonaut,
  chooseLocalTries: 0,
  chooseLocalFallbackTries: 0,
  chooseTotalTries: 50,
  chooseleafDescendOnce: 1,
};
const firefly: CrushTunables = { ...bobtail, chooseleafVaryR: 1 };
const hammer: CrushTunables = { ...firefly, strawCalcVersion: 1, allowedBucketAlgorithms: hammerAlgorithms };
const jewel: CrushTunables = { ...hammer, chooseleafStable: 1 };

export const crushProfiles = { argonaut, bobtail, firefly, hammer, jewel } as const;
export type CrushProfile = keyof typeof crushProfiles;
