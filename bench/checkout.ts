/** Where this checkout is: the bench runs from its sources in tests, and compiled in build/compiled otherwise. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const checkoutFolder = findUp(dirname(fileURLToPath(import.meta.url)));

function findUp(folder: string): string {
  return existsSync(join(folder, 'native/CMakeLists.txt')) ? folder : findUp(dirname(folder));
}
