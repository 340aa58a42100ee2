/** What is printed of one case: its cells, and whether it is over a limit. */
export function describeCase(one, results) {
  const { medianMs, rounds, peakMb } = results.get(one);
  const ratios = one.against.map(({ of, limit }) => {
    const ratio = medianMs / results.get(of).medianMs;
    return { text: `${ratio.toFixed(2)} x ${of.name}`, verdict: judge(ratio, limit, ` x ${of.name}`) };
  });
  const memory = { verdict: peakMb === undefined ? undefined : judge(peakMb, one.peakLimitMb, ' MB') };
  const verdicts = [...ratios, memory].map(({ verdict }) => verdict).filter(Boolean);
  return {
    cells: [
      one.name,
      one.by,
      `${medianMs < 1000 ? medianMs.toFixed(1) : medianMs.toFixed(0)} ms${one.rounds ? ` (${rounds})` : ''}`,
      ratios.map(({ text }) => text).join(', '),
      peakMb === undefined ? '' : `${peakMb.toFixed(0)} MB`,
      verdicts.map(({ text }) => text).join(', '),
    ],
    isOver: verdicts.some(({ isOver }) => isOver),
  };
}

export function judge(value, limit, unit = ' x') {
  if (limit === undefined) return undefined;
  const isOver = value > limit;
  return { isOver, text: `at most ${limit}${unit}: ${isOver ? 'EXCEEDED' : 'held'}` };
}

const titles = ['what', 'by', 'median', 'that is', 'peak memory', 'limit'];

/** A table of Markdown that can be read as it stands. */
export function renderTable(rows) {
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((cells) => cells[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(titles), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
