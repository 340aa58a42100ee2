import { makePanel, makeThresholds, type PanelWish } from './panel.ts';

const named = (name: string, ...properties: readonly object[]) => ({
  matcher: { id: 'byName', options: name },
  properties,
});

const tableOptions = (sortedBy: string, desc: boolean) => ({
  showHeader: true,
  cellHeight: 'sm',
  sortBy: [{ displayName: sortedBy, desc }],
});

/** One row for each certificate; its queries are beginning, end, and the time until then. */
export function makeValidityTable(wish: PanelWish): object {
  const [from, until, rest] = ['From', 'Until', 'Left'];
  const days = makeThresholds('red', [7 * 86_400, 'orange'], [30 * 86_400, 'green']);
  return makePanel(wish, {
    type: 'table',
    options: tableOptions('Left', false),
    fieldConfig: {
      defaults: { custom: { align: 'auto', filterable: true } },
      overrides: [
        ...[from, until].map((name) => named(name, { id: 'unit', value: 'dateTimeAsIso' })),
        named(
          rest,
          { id: 'unit', value: 's' },
          { id: 'thresholds', value: days },
          { id: 'custom.cellOptions', value: { type: 'color-text' } },
        ),
      ],
    },
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          indexByName: { role: 0, subject: 1, 'Value #A': 2, 'Value #B': 3, 'Value #C': 4, fingerprint: 5 },
          renameByName: {
            role: 'Role',
            subject: 'Subject',
            fingerprint: 'SHA-256',
            'Value #A': from,
            'Value #B': until,
            'Value #C': rest,
          },
        },
      },
    ],
  });
}

/** One row for each kind of finding. */
export function makeFindingsTable(wish: PanelWish): object {
  const colors = { error: 'red', warning: 'orange', info: 'blue' };
  const mapping = {
    type: 'value',
    options: Object.fromEntries(
      Object.entries(colors).map(([severity, color], index) => [severity, { color, text: severity, index }]),
    ),
  };
  return makePanel(wish, {
    type: 'table',
    options: tableOptions('Severity', false),
    fieldConfig: {
      defaults: { custom: { align: 'auto', filterable: true }, noValue: 'none' },
      overrides: [
        named(
          'Severity',
          { id: 'mappings', value: [mapping] },
          { id: 'custom.cellOptions', value: { type: 'color-text' } },
        ),
      ],
    },
    transformations: [
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          indexByName: { severity: 0, code: 1, command: 2, Value: 3 },
          renameByName: { severity: 'Severity', code: 'Code', command: 'Found by', Value: 'How many' },
        },
      },
    ],
  });
}

/** Which of the replicas has had the lead, as bars over time. */
export function makeLeadTimeline(wish: PanelWish): object {
  const mapping = {
    type: 'value',
    options: { 0: { text: 'follows', color: 'blue', index: 0 }, 1: { text: 'leads', color: 'green', index: 1 } },
  };
  return makePanel(wish, {
    type: 'state-timeline',
    options: {
      mergeValues: true,
      showValue: 'auto',
      alignValue: 'left',
      rowHeight: 0.9,
      legend: { displayMode: 'list', placement: 'bottom', showLegend: false, calcs: [] },
      tooltip: { mode: 'single', sort: 'none' },
    },
    fieldConfig: {
      defaults: { mappings: [mapping], color: { mode: 'thresholds' }, custom: { fillOpacity: 70, lineWidth: 0 } },
      overrides: [],
    },
  });
}
