/**
 * One diagram with lines, as SVG: a logarithmic scale upwards, named places across, and each line's name where it
 * ends. Sized in pixels; colours that read on white and on black.
 */

export interface Line {
  readonly name: string;
  readonly colour: string;
  /** What the diagram is about is drawn stronger. */
  readonly isStrong: boolean;
  /** One for each place; undefined where there is none. */
  readonly values: readonly (number | undefined)[];
}

export interface PanelOptions {
  readonly title: string;
  /** Names of the places across. */
  readonly places: readonly string[];
  readonly acrossTitle: string;
  readonly lines: readonly Line[];
  readonly formatValue: (value: number) => string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const margin = { left: 62, right: 150, top: 34, bottom: 44 } as const;
const labelHeight = 13;

export function linePanel(options: PanelOptions): string {
  const { title, places, acrossTitle, x, y, width, height, formatValue } = options;
  const lines = options.lines.filter((line) => line.values.some((value) => value !== undefined && value > 0));
  const inner = {
    left: x + margin.left,
    right: x + width - margin.right,
    top: y + margin.top,
    bottom: y + height - margin.bottom,
  };
  const values = lines.flatMap((line) => line.values.filter((value): value is number => value !== undefined));
  if (values.length === 0) return '';
  const [low, high] = decades(values);
  const atValue = (value: number): number =>
    inner.bottom - ((Math.log10(value) - low) / (high - low)) * (inner.bottom - inner.top);
  const step = places.length > 1 ? (inner.right - inner.left) / (places.length - 1) : 0;
  const atPlace = (index: number): number => inner.left + index * step;

  const parts = [text(inner.left - 44, y + 16, title, 'class="title"')];
  for (let decade = low; decade <= high; decade++) {
    const at = atValue(10 ** decade);
    parts.push(`<line class="grid" x1="${inner.left}" x2="${inner.right}" y1="${px(at)}" y2="${px(at)}"/>`);
    parts.push(text(inner.left - 8, at + 4, formatValue(10 ** decade), 'text-anchor="end"'));
  }
  for (const [index, place] of places.entries()) {
    parts.push(text(atPlace(index), inner.bottom + 18, place, 'text-anchor="middle"'));
  }
  parts.push(text((inner.left + inner.right) / 2, inner.bottom + 36, acrossTitle, 'text-anchor="middle"'));
  for (const line of lines) parts.push(polyline(line, atPlace, atValue));
  parts.push(...labels(lines, inner.right + 10, inner.bottom, atValue));
  return parts.join('\n');
}

/** Whole powers of ten around the values. */
function decades(values: readonly number[]): [number, number] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  return [low, Math.max(high, low + 1)];
}

function polyline(
  line: Line,
  atPlace: (index: number) => number,
  atValue: (value: number) => number,
): string {
  const points = line.values.flatMap((value, index) =>
    value === undefined ? [] : [[px(atPlace(index)), px(atValue(value))] as const],
  );
  const width = line.isStrong ? 3 : 1.5;
  const path = points.map(([x, y]) => `${x},${y}`).join(' ');
  const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="${width}" fill="${line.colour}"/>`);
  return `<polyline fill="none" stroke="${line.colour}" stroke-width="${width}" points="${path}"/>${dots.join('')}`;
}

/** Names at the lines' ends, pushed apart from the top down, and then up again from the bottom. */
function labels(
  lines: readonly Line[],
  x: number,
  bottom: number,
  atValue: (value: number) => number,
): string[] {
  const placed = lines
    .map((line) => ({ line, y: atValue(line.values.findLast((value) => value !== undefined)!) + 4 }))
    .sort((left, right) => left.y - right.y);
  for (let index = 1; index < placed.length; index++) {
    placed[index]!.y = Math.max(placed[index]!.y, placed[index - 1]!.y + labelHeight);
  }
  for (let index = placed.length - 1, limit = bottom; index >= 0; index--, limit -= labelHeight) {
    placed[index]!.y = Math.min(placed[index]!.y, limit);
  }
  return placed.map(({ line, y }) => {
    const weight = line.isStrong ? ' font-weight="bold"' : '';
    return text(x, y, line.name, `style="fill:${line.colour}"${weight}`);
  });
}

export function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${px(x)}" y="${px(y)}" ${attributes}>${escapeXml(content)}</text>`;
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
