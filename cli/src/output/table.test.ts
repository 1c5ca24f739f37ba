import { describe, expect, it } from 'vitest';
import { details, table } from './table.ts';

const rows = [
  { id: 'a', name: 'one', more: 'x' },
  { id: 'bbbb', name: 'two', more: 'y' },
];
const columns = [
  { title: 'ID', cell: (row: (typeof rows)[0]) => row.id },
  { title: 'MORE', cell: (row: (typeof rows)[0]) => row.more, wide: true },
  { title: 'NAME', cell: (row: (typeof rows)[0]) => row.name },
];

describe('tables', () => {
  it('aligns columns and leaves wide ones out', () => {
    expect(table(rows, columns)).toBe('ID    NAME\na     one\nbbbb  two');
  });

  it('shows every column when wide', () => {
    expect(table(rows, columns, { wide: true })).toBe('ID    MORE  NAME\na     x     one\nbbbb  y     two');
  });

  it('does not let a stored value command the terminal', () => {
    const hostile = [{ id: '\u001b[2Jx\ny', name: '', more: '' }];
    expect(table(hostile, columns)).toBe('ID      NAME\nx\\x0ay');
  });

  it('aligns the details of one thing', () => {
    expect(
      details([
        ['id', '1'],
        ['parent', '2'],
      ]),
    ).toBe('id:     1\nparent: 2');
  });
});
