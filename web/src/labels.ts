// Finds where a text speaks of a member by its label, as in "B argues" or "members A and C".

/** A place in a text: a label, which leads to its member. */
export interface LabelPlace {
  start: number;
  end: number;
  label: string;
}

const LABEL = "[A-Z]{1,2}";
const LIST = `${LABEL}(?:(?:, and |, or |, | and | or | & |/|–|-)${LABEL})*`;
const BEFORE =
  "(?:[Mm]embers?|[Rr]esponses?|[Aa]nswers?(?: of| from| by)?|[Mm]odels?|[Rr]eviewers?|[Pp]anel(?:l?ists?)?|" +
  "[Aa]ccording to|[Uu]nlike|[Bb]oth|[Oo]nly|[Ll]ike)";
const VERBS =
  "argue|say|claim|note|think|thought|said|point|disagree|agree|hold|held|add|warn|object|suggest|answer|give|gave|" +
  "state|find|found|see|saw|contend|believe|maintain|propose|recommend|prefer|dissent|conclude|report|mention|" +
  "assume|explain|show|support|raise|count|calculate|compute|read|put|take|took|treat|stress|emphasi[sz]e|is right|" +
  "is wrong|are right|are wrong|alone|both|rightly|wrongly|correctly|also|instead";
const FORMS = [
  new RegExp(`\\b${BEFORE} (${LIST})(?![\\w'])`, "g"),
  new RegExp(`(?<![\\w.'-])(${LIST})(?= (?:${VERBS})(?:s|es|d|ed|ing|ion)?\\b)`, "g"),
  new RegExp(`\\((${LIST})\\)`, "g"),
  new RegExp(`(?<![\\w.-])(${LIST})['’]s? (?=[^\\s\\d])`, "g"),
];

/** The labels in a text, in order. Only those that the run has, and where it is clear what is meant. */
export function labelPlaces(text: string, labels: ReadonlySet<string>): LabelPlace[] {
  const found = new Map<number, LabelPlace>();
  if (!labels.size || text.length > 50_000 || !/\b[A-Z]{1,2}\b/.test(text)) return [];
  for (const form of FORMS)
    for (const match of text.matchAll(form)) {
      const list = match[1]!;
      const offset = match.index + match[0].indexOf(list);
      for (const one of list.matchAll(/[A-Z]{1,2}/g)) {
        const start = offset + one.index;
        if (labels.has(one[0])) found.set(start, { start, end: start + one[0].length, label: one[0] });
      }
    }
  return [...found.values()].sort((a, b) => a.start - b.start);
}
