/** The columns that every listing of a CRUSH tree begins with. */
import { deviceClassOf } from '../../../../maps/crush/json.ts';
import type { CrushMap } from '../../../../maps/crush/map.ts';
import type { CrushTreeItem } from '../../../../maps/crush/tree.ts';
import type { TableColumn } from '../text.ts';

/** Headings stand left, values right. */
export function rightColumn(heading: string): TableColumn {
  return { heading, align: 'right', headingAlign: 'left' };
}

export const crushTreeColumns: readonly TableColumn[] = [
  ...['ID', 'CLASS', 'WEIGHT'].map(rightColumn),
  { heading: 'TYPE NAME' },
];

const weightDigits = 5;

/** `1.00000`; what is too little to show is `0`. */
export function weightText(weight: number): string {
  if (weight < -0.01) return '-';
  return weight < 0.000001 ? '0' : weight.toFixed(weightDigits);
}

export function crushTreeCells(map: CrushMap, { id, depth, weight }: CrushTreeItem): string[] {
  const indent = '    '.repeat(depth);
  const type = map.typeNames.get(map.buckets[-1 - id]?.type ?? 0) ?? '';
  const name = id < 0 ? `${type} ${map.names.get(id) ?? ''}` : `osd.${id}`;
  // The class of a shadow tree is that of its devices.
  return [String(id), deviceClassOf(map, id) ?? '', weightText(weight), `${indent}${name}`];
}
