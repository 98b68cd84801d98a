// What changed between two texts, word by word.

export interface Piece {
  kind: "same" | "added" | "removed";
  text: string;
}

/** Words on each side beyond which a comparison takes too long. */
const MOST = 1500;

const words = (text: string): string[] => text.match(/\s+|[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];

/** The pieces in order; `null` where the texts are too long, or nearly all is different. */
export function differences(before: string, after: string): Piece[] | null {
  const a = words(before);
  const b = words(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const left = a.slice(start, a.length - end);
  const right = b.slice(start, b.length - end);
  if (left.length > MOST || right.length > MOST) return null;
  const pieces: Piece[] = [];
  add(pieces, "same", a.slice(0, start).join(""));
  const kept = middle(left, right, pieces) + start + end;
  add(pieces, "same", a.slice(a.length - end).join(""));
  return kept < 0.25 * Math.max(a.length, b.length) ? null : pieces;
}

/** The longest common subsequence; returns its length. */
function middle(a: string[], b: string[], pieces: Piece[]): number {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add(pieces, "same", a[i++]!);
      j++;
    } else if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!))
      add(pieces, "removed", a[i++]!);
    else add(pieces, "added", b[j++]!);
  }
  return lengths[0]!;
}

function add(pieces: Piece[], kind: Piece["kind"], text: string): void {
  const last = pieces.at(-1);
  if (!text) return;
  if (last?.kind === kind) last.text += text;
  else pieces.push({ kind, text });
}
