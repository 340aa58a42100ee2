/** A query of Prometheus. */
export interface Query {
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly format?: 'time_series' | 'table';
}

/** The place of a panel on a grid of 24 columns. */
interface GridPosition {
  readonly h: number;
  readonly w: number;
  readonly x: number;
  readonly y: number;
}

export interface PanelWish {
  readonly title: string;
  readonly description: string;
  readonly gridPos: GridPosition;
  readonly queries: readonly Query[];
}

interface Panel {
  readonly type: string;
  readonly options: object;
  readonly fieldConfig: { readonly defaults: object; readonly overrides: readonly object[] };
  readonly transformations?: readonly object[];
}

/** Chosen at the top of the dashboard. */
export const datasource = { type: 'prometheus', uid: '$datasource' };

/** A panel of Grafana; its `id` is its place in the list. */
export function makePanel({ title, description, gridPos, queries }: PanelWish, panel: Panel): object {
  const targets = queries.map((query, index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource,
    range: !query.instant,
    ...query,
  }));
  return { title, description, datasource, gridPos, targets, ...panel };
}

interface Step {
  readonly color: string;
  readonly value: number | null;
}

/** Colours by value; the first step holds from the least value on. */
export function makeThresholds(first: string, ...steps: readonly (readonly [value: number, color: string])[]): object {
  const all: Step[] = [{ color: first, value: null }, ...steps.map(([value, color]) => ({ color, value }))];
  return { mode: 'absolute', steps: all };
}

interface FigureLook {
  readonly unit: string;
  readonly thresholds: object;
  readonly decimals?: number;
}

/** Large figures, the last value of each series. */
export function makeStat(wish: PanelWish, look: FigureLook): object {
  return makePanel(wish, {
    type: 'stat',
    options: {
      reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' },
      orientation: 'auto',
      textMode: 'auto',
      colorMode: 'background',
      graphMode: 'none',
      justifyMode: 'auto',
    },
    fieldConfig: { defaults: { color: { mode: 'thresholds' }, noValue: 'nothing read', ...look }, overrides: [] },
  });
}

interface LineLook {
  readonly unit: string;
  readonly isStacked?: boolean;
  /** The colours of series by their names. */
  readonly colors?: Readonly<Record<string, string>>;
}

/** Lines over time. */
export function makeLines(wish: PanelWish, { unit, isStacked = false, colors = {} }: LineLook): object {
  return makePanel(wish, {
    type: 'timeseries',
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: 'palette-classic' },
        custom: {
          drawStyle: 'line',
          lineWidth: 2,
          fillOpacity: isStacked ? 40 : 0,
          showPoints: 'never',
          stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
        },
      },
      overrides: Object.entries(colors).map(([name, fixedColor]) => ({
        matcher: { id: 'byName', options: name },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
      })),
    },
  });
}
