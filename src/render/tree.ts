export interface Branch {
  readonly label: string;
  readonly children: readonly Branch[];
}

/** A tree with the usual lines. */
export function renderTree(branches: readonly Branch[]): string[] {
  return branches.flatMap(({ label, children }) => [label, ...renderChildren(children, '')]);
}

function renderChildren(children: readonly Branch[], indent: string): string[] {
  return children.flatMap(({ label, children: below }, index) => {
    const isLast = index === children.length - 1;
    return [
      `${indent}${isLast ? '└─ ' : '├─ '}${label}`,
      ...renderChildren(below, `${indent}${isLast ? '   ' : '│  '}`),
    ];
  });
}
