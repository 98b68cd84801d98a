// A subset of TeX as MathML: what formulas in answers usually have. Anything else is shown as its source.

import { h, type ComponentChildren, type VNode } from "preact";
import { ACCENTS, FUNCTIONS, LARGE, SPACES, SYMBOLS } from "./tex-symbols";

type Node = VNode;

class Unknown extends Error {}

const LONGEST = 4000;
const DEEPEST = 40;

/** The formula, or its source where it has something that we do not know. */
export function Tex({ source, display }: { source: string; display: boolean }): VNode {
  try {
    if (source.length > LONGEST) throw new Unknown();
    const body = new Parser(source).all();
    return h("math", { display: display ? "block" : "inline", "aria-label": source }, body) as Node;
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
    return <code class={display ? "tex block" : "tex"}>{source}</code>;
  }
}

const m = (name: string, ...children: ComponentChildren[]): Node => h(name, null, ...children) as Node;
const row = (nodes: Node[]): Node => (nodes.length === 1 ? nodes[0]! : m("mrow", ...nodes));
const op = (text: string, attributes: Record<string, string> = {}): Node => h("mo", attributes, text) as Node;

const TOKEN = /\\[a-zA-Z]+\*?|\\[\s\S]|\d+(?:[.,]\d+)*|\s+|%[^\n]*|[\s\S]/gu;
const STYLES: Record<string, string> = {
  mathbf: "bold", boldsymbol: "bold", bm: "bold", mathrm: "normal", mathit: "italic", mathsf: "sans",
  mathtt: "mono", operatorname: "normal", "operatorname*": "normal",
};
const ENVIRONMENTS: Record<string, [string, string]> = {
  matrix: ["", ""], pmatrix: ["(", ")"], bmatrix: ["[", "]"], Bmatrix: ["{", "}"], vmatrix: ["|", "|"],
  Vmatrix: ["‖", "‖"], cases: ["{", ""], aligned: ["", ""], align: ["", ""], "align*": ["", ""],
  array: ["", ""], gathered: ["", ""], smallmatrix: ["", ""], split: ["", ""], equation: ["", ""], "equation*": ["", ""],
};
const BIG = /^\\[bB]igg?[lrm]?$/;
const DOUBLE: Record<string, string> = { R: "ℝ", N: "ℕ", Z: "ℤ", Q: "ℚ", C: "ℂ", P: "ℙ", E: "𝔼", F: "𝔽", H: "ℍ" };
const SCRIPT: Record<string, string> = { L: "ℒ", O: "𝒪", F: "ℱ", N: "𝒩", D: "𝒟", A: "𝒜", B: "ℬ", C: "𝒞", H: "ℋ", P: "𝒫", S: "𝒮", T: "𝒯", X: "𝒳", Y: "𝒴", G: "𝒢", M: "ℳ", E: "ℰ", R: "ℛ", U: "𝒰", V: "𝒱" };

class Parser {
  private tokens: string[];
  private at = 0;
  private depth = 0;

  constructor(source: string) {
    this.tokens = (source.match(TOKEN) ?? []).filter((token) => !token.startsWith("%"));
  }

  all(): Node {
    const nodes = this.list(() => this.at >= this.tokens.length);
    return m("mrow", ...nodes);
  }

  private peek(): string | undefined {
    return this.tokens[this.at];
  }

  private next(): string {
    const token = this.tokens[this.at++];
    if (token === undefined) throw new Unknown();
    return token;
  }

  private blanks(): void {
    while (this.peek() !== undefined && /^\s/.test(this.peek()!)) this.at++;
  }

  private list(ends: () => boolean): Node[] {
    const nodes: Node[] = [];
    if (++this.depth > DEEPEST) throw new Unknown();
    for (;;) {
      this.blanks();
      if (ends()) break;
      if (this.peek() === undefined) throw new Unknown();
      const node = this.scripted();
      if (node) nodes.push(node);
    }
    this.depth--;
    return nodes;
  }

  /** An atom with what stands above and below it. */
  private scripted(): Node | null {
    const token = this.peek()!;
    const large = LARGE.has(token);
    const limits = large && token !== "\\int";
    let base = token === "^" || token === "_" ? m("mrow") : this.atom();
    if (!base) return null;
    let below: Node | undefined;
    let above: Node | undefined;
    let over = limits || token === "\\lim" || token === "\\max" || token === "\\min" || token === "\\underbrace" || token === "\\overbrace";
    for (;;) {
      this.blanks();
      const mark = this.peek();
      if (mark === "\\limits" || mark === "\\nolimits") {
        over = mark === "\\limits";
        this.at++;
      } else if (mark === "'") {
        let primes = "";
        while (this.peek() === "'") (primes += "′"), this.at++;
        above = above ? m("mrow", above, op(primes)) : op(primes);
      } else if (mark === "^" || mark === "_") {
        this.at++;
        const script = this.argument();
        if (mark === "^") above = above ? m("mrow", above, script) : script;
        else if (below) throw new Unknown();
        else below = script;
      } else break;
    }
    if (above && below) base = m(over ? "munderover" : "msubsup", base, below, above);
    else if (above) base = m(over ? "mover" : "msup", base, above);
    else if (below) base = m(over ? "munder" : "msub", base, below);
    return base;
  }

  private argument(): Node {
    this.blanks();
    if (this.peek() === "{") return this.group();
    const digit = /^\d{2,}/.test(this.peek() ?? "");
    if (digit) {
      // Without braces only the first digit belongs here.
      const number = this.next();
      this.tokens.splice(this.at, 0, number.slice(1));
      return m("mn", number[0]);
    }
    const node = this.atom();
    if (!node) throw new Unknown();
    return node;
  }

  private group(): Node {
    this.next();
    const nodes = this.list(() => this.peek() === "}");
    this.next();
    return nodes.length === 1 ? nodes[0]! : m("mrow", ...nodes);
  }

  /** The plain text in braces. */
  private text(): string {
    this.blanks();
    if (this.next() !== "{") throw new Unknown();
    let text = "";
    let open = 0;
    for (;;) {
      const token = this.next();
      if (token === "}" && open-- === 0) return text;
      if (token === "{") open++;
      else if (token !== "}") text += token.length === 2 && token[0] === "\\" ? token[1] : token === "~" ? " " : token;
    }
  }

  private delimiter(): string {
    this.blanks();
    const token = this.next();
    if (token === ".") return "";
    const known = SYMBOLS[token];
    if (known) return known[1];
    if (/^[()[\]|/<>]$/.test(token)) return token;
    if (token === "\\{" || token === "\\}") return token[1]!;
    throw new Unknown();
  }

  private atom(): Node | null {
    const token = this.next();
    if (/^\d/.test(token)) return m("mn", token);
    if (/^\p{L}$/u.test(token)) return m("mi", token);
    if (token === "{") {
      this.at--;
      return this.group();
    }
    if (token === "~") return space("0.25em");
    if (token === "-") return op("−");
    if (token === "*") return op("∗");
    if (/^[+=<>()[\]|/,;:!?.]$/.test(token)) return /^[()[\]|]$/.test(token) ? op(token, { stretchy: "false" }) : op(token);
    if (!token.startsWith("\\")) {
      if (/^[}&^_$#"\\]$/.test(token)) throw new Unknown();
      return /^\p{S}|\p{P}$/u.test(token) ? op(token) : m("mtext", token);
    }
    return this.command(token);
  }

  private command(token: string): Node | null {
    const symbol = SYMBOLS[token];
    if (symbol) return symbol[0] === "i" ? m("mi", symbol[1]) : op(symbol[1]);
    if (LARGE.has(token)) return op(LARGE.get(token)!, { largeop: "true", movablelimits: "false" });
    if (token in SPACES) return space(SPACES[token]!);
    const name = token.slice(1);
    if (FUNCTIONS.has(name)) return m("mi", name);
    if (name in ACCENTS) {
      const [mark, where] = ACCENTS[name]!;
      const base = this.argument();
      return h(where, { accent: "true" }, base, op(mark, { stretchy: String(/^(over|under|wide)/.test(name)) })) as Node;
    }
    if (BIG.test(token)) return op(this.delimiter(), { stretchy: "false" });
    if (STYLES[name]) {
      const style = STYLES[name];
      if (name.startsWith("operatorname")) return m("mi", this.text());
      if (style === "bold") return h("mrow", { class: "tex-bold" }, this.argument()) as Node;
      const text = this.text();
      if (!/^[\p{L}\p{N} .,'-]*$/u.test(text)) throw new Unknown();
      return h(style === "italic" ? "mi" : "mtext", {}, text) as Node;
    }
    switch (name) {
      case "frac": case "dfrac": case "tfrac": case "cfrac":
        return m("mfrac", this.argument(), this.argument());
      case "binom": case "dbinom": case "tbinom":
        return m("mrow", op("("), h("mfrac", { linethickness: "0" }, this.argument(), this.argument()) as Node, op(")"));
      case "sqrt": {
        this.blanks();
        if (this.peek() !== "[") return m("msqrt", this.argument());
        this.next();
        const index = this.list(() => this.peek() === "]");
        this.next();
        return m("mroot", this.argument(), row(index));
      }
      case "text": case "textrm": case "textbf": case "textit": case "mbox": case "textsf": case "texttt":
        return m("mtext", this.text().replaceAll(" ", "\u00a0"));
      case "mathbb": return m("mi", this.letters(DOUBLE));
      case "mathcal": case "mathscr": return m("mi", this.letters(SCRIPT));
      case "left": return this.fenced();
      case "begin": return this.environment();
      case "boxed": case "fbox": return h("mrow", { class: "tex-box" }, this.argument()) as Node;
      case "overset": case "stackrel": { const above = this.argument(); return m("mover", this.argument(), above); }
      case "underset": { const below = this.argument(); return m("munder", this.argument(), below); }
      case "pmod": return m("mrow", space("0.5em"), op("("), m("mi", "mod"), space("0.3em"), this.argument(), op(")"));
      case "bmod": case "mod": return m("mrow", space("0.3em"), m("mi", "mod"), space("0.3em"));
      case "not": {
        const negated: Record<string, string> = { "=": "≠", "\\in": "∉", "<": "≮", ">": "≯", "\\subset": "⊄", "\\equiv": "≢" };
        this.blanks();
        const sign = negated[this.next()];
        if (!sign) throw new Unknown();
        return op(sign);
      }
      case "displaystyle": case "textstyle": case "limits": case "nolimits": case "scriptstyle": return null;
      default: throw new Unknown();
    }
  }

  private letters(alphabet: Record<string, string>): string {
    this.blanks();
    const text = this.peek() === "{" ? this.text() : this.next();
    return [...text].map((each) => {
      const letter = alphabet[each];
      if (!letter) throw new Unknown();
      return letter;
    }).join("");
  }

  private fenced(): Node {
    const open = this.delimiter();
    const parts: Node[] = [];
    for (;;) {
      parts.push(...this.list(() => this.peek() === "\\right" || this.peek() === "\\middle"));
      if (this.next() === "\\right") break;
      parts.push(op(this.delimiter(), { stretchy: "true" }));
    }
    const close = this.delimiter();
    return m("mrow", ...(open ? [op(open, { fence: "true", stretchy: "true" })] : []), ...parts,
      ...(close ? [op(close, { fence: "true", stretchy: "true" })] : []));
  }

  private environment(): Node {
    const name = this.text();
    const fences = ENVIRONMENTS[name];
    if (!fences) throw new Unknown();
    if (name === "array") this.text();
    const rows: Node[][] = [[]];
    for (;;) {
      const cell = this.list(() => ["&", "\\\\", "\\end"].includes(this.peek() ?? ""));
      rows.at(-1)!.push(h("mtd", {}, ...cell) as Node);
      const end = this.next();
      if (end === "\\\\") rows.push([]);
      else if (end === "\\end") break;
    }
    if (this.text() !== name) throw new Unknown();
    const aligned = /^(align|split|cases)/.test(name) ? { class: "tex-aligned" } : {};
    const table = h("mtable", aligned, ...rows.map((cells) => m("mtr", ...cells))) as Node;
    return m("mrow", ...(fences[0] ? [op(fences[0], { stretchy: "true", fence: "true" })] : []), table,
      ...(fences[1] ? [op(fences[1], { stretchy: "true", fence: "true" })] : []));
  }
}

function space(width: string): Node {
  return h("mspace", { width }) as Node;
}
