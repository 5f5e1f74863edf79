/**
 * Prometheus text (exposition format 0.0.4), family by family. prom-client is the library for metrics that
 * live in a registry; here all numbers live elsewhere already and are read once per scrape, so what is
 * left of it are names, escapes and this file.
 */

/** Content-Type of an HTTP answer with this text. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  /** Cumulative: how many were at most the bound of this index; the last one is all of them. */
  readonly cumulativeCounts: readonly number[];
  readonly sum: number;
}

export class PrometheusText {
  #text = '';

  /** A name that ends in `_total` is a counter's, any other a gauge's. A series must be given once. */
  family(name: string, help: string, samples: Iterable<Sample>): this {
    this.#head(name, help, name.endsWith('_total') ? 'counter' : 'gauge');
    for (const { labels, value } of samples) this.#text += `${name}${labelText(labels)} ${value}\n`;
    return this;
  }

  /** `bounds`: the upper bounds of the buckets but the last, which has none. */
  histogram(name: string, help: string, bounds: readonly number[], samples: Iterable<HistogramSample>): this {
    this.#head(name, help, 'histogram');
    for (const { labels, cumulativeCounts, sum } of samples) {
      for (const [index, count] of cumulativeCounts.entries()) {
        const le = bounds[index] ?? '+Inf';
        this.#text += `${name}_bucket${labelText({ ...labels, le })} ${count}\n`;
      }
      this.#text += `${name}_sum${labelText(labels)} ${sum}\n`;
      this.#text += `${name}_count${labelText(labels)} ${cumulativeCounts.at(-1) ?? 0}\n`;
    }
    return this;
  }

  toString(): string {
    return this.#text;
  }

  #head(name: string, help: string, type: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
