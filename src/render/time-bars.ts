export interface Span {
  readonly label: string;
  readonly from: Date;
  readonly to: Date;
}

/** Validities as bars on one axis of time, `now` marked on each. Bars are cut at the axis' ends. */
export function renderTimeBars(spans: readonly Span[], now: Date, columns: number): string[] {
  if (spans.length === 0) return [];
  const labelWidth = Math.min(28, Math.max(...spans.map(({ label }) => label.length)));
  const width = Math.max(10, Math.min(columns, 120) - labelWidth - 2);
  const start = Math.min(now.getTime(), ...spans.map(({ from }) => from.getTime()));
  const end = Math.max(now.getTime(), ...spans.map(({ to }) => to.getTime()));
  const position = (date: Date) => Math.round(((date.getTime() - start) / Math.max(1, end - start)) * (width - 1));
  const nowAt = position(now);
  const rows = spans.map(({ label, from, to }) => {
    const [first, last] = [position(from), position(to)];
    const bar = Array.from({ length: width }, (_, cell) => {
      const covered = cell >= first && cell <= last;
      if (cell === nowAt) return covered ? '┃' : '│';
      return covered ? '█' : '·';
    });
    return `${label.slice(0, labelWidth).padEnd(labelWidth)}  ${bar.join('')}`;
  });
  const left = new Date(start).toISOString().slice(0, 10);
  const right = new Date(end).toISOString().slice(0, 10);
  const axis = `${' '.repeat(labelWidth)}  ${left}${' '.repeat(Math.max(1, width - left.length - right.length))}${right}`;
  return [...rows, axis];
}
