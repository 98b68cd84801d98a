// Long texts are drawn in pieces: the first at once, each further one by a click.

export const FIRST_PIECE = 20_000;
export const NEXT_PIECE = 60_000;

const FENCE = /^ {0,3}(`{3,}|~{3,})[^\n]*$/;

/** The text up to about `room` characters, and where the rest begins; a code block that is cut is
 * closed here and begun anew there. */
export function piece(text: string, start: number, room: number, opening: string): { shown: string; end: number; opening: string } {
  let end = text.length;
  if (end - start > room) {
    const cut = text.lastIndexOf("\n\n", start + room);
    const line = text.lastIndexOf("\n", start + room);
    end = cut > start + room / 2 ? cut : line > start + room / 2 ? line : start + room;
    if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? "")) end--;
  }
  const body = text.slice(start, end);
  let fence = opening;
  for (const line of body.split("\n")) {
    const match = FENCE.exec(line);
    if (!match) continue;
    if (!fence) fence = line;
    else if (match[1]![0] === FENCE.exec(fence)![1]![0] && match[1]!.length >= FENCE.exec(fence)![1]!.length && !line.replace(match[1]!, "").trim()) fence = "";
  }
  const before = opening ? `${opening}\n` : "";
  const after = fence && end < text.length ? `\n${FENCE.exec(fence)![1]}` : "";
  return { shown: before + body + after, end, opening: end < text.length ? fence : "" };
}
