// Finds where a text speaks of a member by its label, as in "B argues" or "members A and C".

/** A place in a text: a label, which leads to its member. */
export interface LabelPlace {
  start: number;
  end: number;
  label: string;
}

const LABEL = "[A-Z]{1,2}";
const LIST = `${LABEL}(?:(?:, and |, or |, | and | or | & |/|–|-)${LABEL})*`;
const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));
const BEFORE = words(
  "member members response responses answer answers model models reviewer reviewers panelist panelists panellist " +
  "panellists panel unlike both only like",
);
const BEFORE_TWO = /^(?:answers? (?:of|from|by)|according to)$/i;
const VERBS = words(
  "argue say claim note think thought said point disagree agree hold held add warn object suggest answer give gave " +
  "state find found see saw contend believe maintain propose recommend prefer dissent conclude report mention " +
  "assume explain show support raise count calculate compute read put take took treat stress emphasise emphasize " +
  "alone both rightly wrongly correctly also instead",
);
const ENDINGS = ["", "s", "es", "d", "ed", "ing", "ion"];

const isBefore = (text: string): boolean => BEFORE.has(text.toLowerCase()) || BEFORE_TWO.test(text);

function isVerb(word: string, next: string | undefined): boolean {
  if (word === "is" || word === "are") return next === "right" || next === "wrong";
  return ENDINGS.some((end) => word.endsWith(end) && VERBS.has(word.slice(0, word.length - end.length)));
}

type Match = RegExpExecArray;

/** The forms in which texts name labels, and whether the words around are such words. Those are looked
 * up: expressions that list them take longer to compile than all the rest of a first picture. */
const FORMS: [RegExp, (match: Match) => boolean][] = [
  [
    new RegExp(`(?<=\\b([A-Za-z][a-z]+(?: (?:of|from|by|to))?) )(?<list>${LIST})(?![\\w'])`, "g"),
    (match) => isBefore(match[1]!),
  ],
  [
    new RegExp(`(?<![\\w.'-])(?<list>${LIST})(?= ([a-z]+)\\b(?: ([a-z]+))?)`, "g"),
    (match) => isVerb(match[2]!, match[3]),
  ],
  [new RegExp(`\\((?<list>${LIST})\\)`, "g"), () => true],
  [new RegExp(`(?<![\\w.-])(?<list>${LIST})['’]s? (?=[^\\s\\d])`, "g"), () => true],
];

/** The labels in a text, in order. Only those that the run has, and where it is clear what is meant. */
export function labelPlaces(text: string, labels: ReadonlySet<string>): LabelPlace[] {
  const found = new Map<number, LabelPlace>();
  // Most texts name nobody: "A reason" begins with an article.
  if (!labels.size || text.length > 50_000 || !/[\w(] ?[A-Z]{1,2}\b|\b[A-Z]{1,2}(?:['’,/–-]| [a-z&])/.test(text)) return [];
  for (const [form, fits] of FORMS)
    for (const match of text.matchAll(form)) {
      if (!fits(match)) continue;
      const list = match.groups!.list!;
      const offset = match.index + match[0].indexOf(list);
      for (const one of list.matchAll(/[A-Z]{1,2}/g)) {
        const start = offset + one.index;
        if (labels.has(one[0])) found.set(start, { start, end: start + one[0].length, label: one[0] });
      }
    }
  return [...found.values()].sort((a, b) => a.start - b.start);
}
