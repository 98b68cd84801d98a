// Foreign Markdown as nodes. No HTML of it ever reaches the document: what it says in tags is shown as text,
// images are named and never fetched, and links are web or mail addresses or nothing.

import { Lexer, Marked, type Token, type Tokens } from "marked";
import { Fragment, type ComponentChildren, type VNode } from "preact";
import { useMemo, useState } from "preact/hooks";
import { CopyButton } from "./buttons";
import { useShared, useText } from "./context";
import { openParts } from "./fold";
import { labelPlaces } from "./labels";
import { FIRST_PIECE, NEXT_PIECE, piece } from "./pieces";
import { Tex } from "./tex";
import type { Text } from "./types";
import { count } from "./words";

interface MathToken {
  type: "tex";
  raw: string;
  source: string;
  display: boolean;
}

const lexer = new Marked({
  gfm: true,
  tokenizer: {
    // A line of dashes below a paragraph is meant as a rule, and looking for such headings is slow.
    lheading: () => undefined,
    // Tags are shown as text, so what is around them is read as usual.
    html: () => undefined,
    // `false` lets the lexer look for itself. Its own expressions are long, and compiled when they
    // are first used: a look at what has to be there spares most of that before the first picture.
    blockquote: (text: string) => (/^ {0,3}>/.test(text) ? false : undefined),
    list: (text: string) => (/^ {0,3}(?:[*+-]|\d)/.test(text) ? false : undefined),
    table: (text: string) => (/^[^\n]*\|/.test(text) || /^[^\n]*\n[ :]*-[-: ]*\|/.test(text) ? false : undefined),
    def: (text: string) => (/^ {0,3}\[/.test(text) ? false : undefined),
    emStrong: (text: string) => (/^[*_]/.test(text) ? false : undefined),
    del: (text: string) => (text.startsWith("~") ? false : undefined),
    paragraph(text: string) {
      const line = /^[^\n]+(?=\n[ \t]*(?:\n|$)|$)/.exec(text)?.[0]; // alone: nothing can interrupt it
      return line !== undefined && { type: "paragraph", raw: line, text: line, tokens: this.lexer.inline(line) };
    },
    url: (text: string) => (/^(?:https?:|ftp:|www\.|[\w.+-]{1,64}@)/i.test(text) ? false : undefined),
  },
  extensions: [
    {
      name: "texBlock",
      level: "block",
      start: (text: string) => text.match(/^(?:\$\$|\\\[|\\begin\{)/m)?.index,
      tokenizer(text: string) {
        if (!/^ {0,3}[$\\]/.test(text)) return undefined;
        const match =
          /^ {0,3}(?:\$\$([^$]+?)\$\$|\\\[([\s\S]{1,4000}?)\\\])[ \t]*(?:\n|$)/.exec(text) ??
          /^ {0,3}(\\begin\{(?:align|equation|gather|[a-zA-Z]*matrix|cases)\*?\}[\s\S]{1,4000}?\\end\{[a-z*A-Z]+\})[ \t]*(?:\n|$)/.exec(text);
        if (!match) return undefined;
        return { type: "tex", raw: match[0], source: (match[1] ?? match[2])!.trim(), display: true };
      },
    },
    {
      name: "texInline",
      level: "inline",
      start: (text: string) => text.match(/\$|\\\(|\\\[/)?.index,
      tokenizer(text: string) {
        if (text[0] !== "$" && text[0] !== "\\") return undefined;
        const match =
          /^\$\$([^$\n]{1,2000})\$\$/.exec(text) ??
          /^\$(?![\s$])((?:[^$\\\n]|\\[^\n]){1,600}?)(?<!\s)\$(?!\d)/.exec(text) ??
          /^\\\(([\s\S]{1,2000}?)\\\)/.exec(text) ??
          /^\\\[([\s\S]{1,2000}?)\\\]/.exec(text);
        if (!match) return undefined;
        return { type: "tex", raw: match[0], source: match[1]!.trim(), display: false };
      },
    },
  ],
});

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", ndash: "–", mdash: "—", hellip: "…", times: "×", le: "≤", ge: "≥", rarr: "→", larr: "←", copy: "©", deg: "°", middot: "·" };

function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,8}));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name) return ENTITIES[name] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex!, 16);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000) ? String.fromCodePoint(code) : "\ufffd";
  });
}

/** The address, if a person may follow it. */
export function safeAddress(href: string): string | null {
  const address = decoded(href).trim();
  return /^(?:https?:\/\/[^\s\\]|mailto:[^\s])/i.test(address) ? address : null;
}

export function Link({ href, children }: { href: string; children: ComponentChildren }): VNode {
  const { can } = useShared();
  const address = safeAddress(href);
  if (address === null) return <span class="dead" title="This link leads nowhere that a browser should go.">{children}</span>;
  const open = can.openLink;
  return (
    <a
      href={address}
      target="_blank"
      rel="noopener noreferrer nofollow"
      title={address}
      onClick={(event) => {
        if (!open) return;
        event.preventDefault();
        void open(address);
      }}
    >
      {children}
    </a>
  );
}

/** A text in which labels of members lead to their answers. */
export function WithLabels({ text }: { text: string }): VNode {
  const { labels, members, prefix } = useShared();
  const places = labelPlaces(text, labels);
  const parts: ComponentChildren[] = [];
  let done = 0;
  for (const { start, end, label } of places) {
    parts.push(text.slice(done, start));
    parts.push(
      <a
        class="label"
        href={`#${prefix}member-${label}`}
        title={`${members.get(label)?.model}: its answer`}
        onClick={(event) => {
          event.preventDefault();
          openMember(prefix, label);
        }}
      >
        {label}
      </a>,
    );
    done = end;
  }
  parts.push(text.slice(done));
  return <>{parts}</>;
}

export function openMember(prefix: string, label: string): void {
  const group = document.querySelector<HTMLElement>(`[data-labels~="${CSS.escape(`${prefix}${label}`)}"]`);
  const around = group?.dataset.fold;
  openParts(...(around === undefined ? [] : [around]), `${prefix}member-${label}`);
}

const DEEPEST = 24;

/** Draws what the lexer has found. */
class Drawing {
  private heading = 0;

  constructor(
    private readonly linked: boolean,
    private readonly firstLevel: number,
  ) {}

  blocks(tokens: Token[], depth = 0): ComponentChildren {
    if (depth > DEEPEST) return tokens.map((token) => token.raw);
    return tokens.map((token) => this.block(token, depth + 1));
  }

  private block(token: Token, depth: number): ComponentChildren {
    switch (token.type) {
      case "space":
      case "def":
        return null;
      case "hr":
        return <hr />;
      case "heading":
        return this.title(token as Tokens.Heading, depth);
      case "code":
        return <Code text={(token as Tokens.Code).text} language={(token as Tokens.Code).lang ?? ""} />;
      case "blockquote":
        return <blockquote>{this.blocks((token as Tokens.Blockquote).tokens, depth)}</blockquote>;
      case "list":
        return this.list(token as Tokens.List, depth);
      case "table":
        return this.table(token as Tokens.Table, depth);
      case "paragraph":
        return <p dir="auto">{this.inline((token as Tokens.Paragraph).tokens, depth)}</p>;
      case "html":
        return <p dir="auto" class="markup">{token.raw.trim()}</p>;
      case "tex":
        return <div class="formula" tabIndex={0} role="group" aria-label="Formula"><Tex source={(token as unknown as MathToken).source} display /></div>;
      default:
        return this.inline([token], depth);
    }
  }

  private title(token: Tokens.Heading, depth: number): VNode {
    this.heading = Math.max(this.firstLevel, Math.min(6, this.heading ? this.heading + 1 : this.firstLevel, token.depth + this.firstLevel - 1));
    const Name = `h${this.heading}` as "h3";
    return <Name dir="auto">{this.inline(token.tokens, depth)}</Name>;
  }

  private list(token: Tokens.List, depth: number): VNode {
    const items = token.items.map((item) => (
      <li dir="auto">
        {item.task && <span aria-hidden="true">{item.checked ? "☑ " : "☐ "}</span>}
        {this.blocks(item.tokens, depth)}
      </li>
    ));
    return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
  }

  private table(token: Tokens.Table, depth: number): VNode {
    const cell = (each: Tokens.TableCell): ComponentChildren => this.inline(each.tokens, depth);
    const side = (n: number): string => token.align[n] ?? "";
    return (
      <div class="wide" tabIndex={0} role="group" aria-label="Table">
        <table>
          <thead><tr>{token.header.map((each, n) => each.text.trim() ? <th dir="auto" class={side(n)}>{cell(each)}</th> : <td />)}</tr></thead>
          <tbody>{token.rows.map((line) => <tr>{line.map((each, n) => <td dir="auto" class={side(n)}>{cell(each)}</td>)}</tr>)}</tbody>
        </table>
      </div>
    );
  }

  inline(tokens: Token[], depth: number): ComponentChildren {
    if (depth > DEEPEST) return tokens.map((token) => token.raw);
    return tokens.map((token) => this.part(token, depth + 1));
  }

  private part(token: Token, depth: number): ComponentChildren {
    const inner = (): ComponentChildren => this.inline((token as Tokens.Strong).tokens ?? [], depth);
    switch (token.type) {
      case "strong":
        return <strong>{inner()}</strong>;
      case "em":
        return <em>{inner()}</em>;
      case "del":
        return <s>{inner()}</s>;
      case "br":
        return <br />;
      case "codespan":
        return <code>{(token as Tokens.Codespan).text}</code>;
      case "link":
        return <Link href={(token as Tokens.Link).href}>{inner()}</Link>;
      case "image":
        return <Picture token={token as Tokens.Image} />;
      case "tex":
        return <Tex source={(token as unknown as MathToken).source} display={false} />;
      case "escape":
        return (token as Tokens.Escape).text;
      case "html":
        return token.raw;
      case "checkbox":
        return null;
      case "text": {
        const parts = (token as Tokens.Text).tokens;
        if (parts?.length) return this.inline(parts, depth);
        const text = decoded((token as Tokens.Text).text);
        return this.linked ? <WithLabels text={text} /> : text;
      }
      default:
        return token.raw;
    }
  }
}

function Picture({ token }: { token: Tokens.Image }): VNode {
  const name = token.text || "without a name";
  return <Link href={token.href}>[image: {name}]</Link>;
}

function Code({ text, language }: { text: string; language: string }): VNode {
  const name = language.split(/\s/)[0]!.slice(0, 30);
  return (
    <div class="code" dir="ltr">
      <div class="code-bar"><span>{name || "text"}</span><CopyButton text={() => text} what="the code" /></div>
      <pre tabIndex={0}><code>{text}</code></pre>
    </div>
  );
}

/** What no reader of Markdown should be given: it takes long, or is nested without end. */
function isHostile(text: string): boolean {
  return /([*_[`~!<(\\>])\1{300}|(?:[*_[`~!<>|(] ?){400}|^[ \t]*(?:(?:>|(?:[-*+]|\d{1,9}[.)])[ \t])[ \t]*){40}/m.test(text);
}

/** The lexer's rules that ask what is punctuation, and the same for texts with none but the usual one:
 * compiled, Unicode's whole list takes ten times as long. */
const RULES = Lexer.rules.inline.gfm as unknown as Record<string, RegExp>;
const ASKING = Object.entries(RULES).filter(([, rule]) => rule.source.includes("\\p{P}"));
const USUAL = "“”‘’„«»–—…•·×÷°→←≤≥≠≈€£©";
const ASKING_LITTLE = ASKING.map(([name, rule]) => [name, new RegExp(rule.source.replaceAll("\\p{P}\\p{S}", `!-/:-@[-\`{-~${USUAL}`), rule.flags.replace("u", ""))] as const);
const ONLY_USUAL = new RegExp(`^[\\0-\\x7fÀ-ÖØ-öø-ʯ${USUAL}]*$`);

/** What the lexer finds in a text, or in a line of one. */
function lexed(text: string, isLine = false): Token[] {
  Object.assign(RULES, Object.fromEntries(ONLY_USUAL.test(text) ? ASKING_LITTLE : ASKING));
  return isLine ? Lexer.lexInline(text, lexer.defaults) : lexer.lexer(text);
}

/** The nodes of a piece of Markdown. */
function drawn(text: string, linked: boolean, firstLevel: number): ComponentChildren {
  if (isHostile(text)) return <p class="plain" dir="auto">{text}</p>;
  return new Drawing(linked, firstLevel).blocks(lexed(text));
}

function Piece({ text, linked, level }: { text: string; linked: boolean; level: number }): VNode {
  return useMemo(() => <>{drawn(text, linked, level)}</>, [text, linked, level]);
}

/** Whether its first letter is written from right to left. Its blocks look for themselves, but lists
 * and tables follow the whole. */
function isRightToLeft(text: string): boolean {
  const first = /[A-Za-z\u00c0-\u02af\u0370-\u0587\u0590-\u08ff\u0900-\u1fff\u2c00-\ud7ff\ufb1d-\ufdfd\ufe70-\ufefc]/.exec(text);
  return first !== null && /[\u0590-\u08ff\ufb1d-\ufdfd\ufe70-\ufefc]/.test(first[0]);
}

interface MarkdownProps {
  text: Text;
  /** Whether labels of members lead to their answers. */
  linked?: boolean;
  /** The level of its first heading. */
  level?: number;
}

/** A Markdown text of any length. */
export function Markdown({ text, linked = false, level = 3 }: MarkdownProps): VNode {
  const beginning = typeof text === "string" ? text : text.beginning;
  const [more, setMore] = useState(beginning ? 0 : 1);
  const full = useText(text, more > 0 || !beginning);
  const known = full.text ?? beginning;
  const length = typeof text === "string" ? text.length : text.characters;
  const pieces: VNode[] = [];
  let place = 0;
  let opening = "";
  for (let n = 0; n <= Math.max(0, more - (beginning ? 0 : 1)) && place < known.length; n++) {
    const cut = piece(known, place, n ? NEXT_PIECE : FIRST_PIECE, opening);
    pieces.push(<Piece key={place} text={cut.shown} linked={linked} level={level} />);
    ({ end: place, opening } = cut);
  }
  const left = length - place;
  return (
    <div class="markdown" dir={isRightToLeft(beginning || known) ? "rtl" : "ltr"}>
      {pieces}
      {full.error !== null && <p class="problem">This text cannot be shown: {full.error}</p>}
      {full.text === null && more > 0 && full.error === null && <p class="quiet">Fetching the text …</p>}
      {left > 0 && known.length > 0 && (
        <button type="button" class="more" onClick={() => setMore(more + 1)}>
          Show more ({count(left, "character")} left)
        </button>
      )}
    </div>
  );
}

/** One line of Markdown, such as a short answer. */
export function Line({ text, linked = false, block = false }: { text: string; linked?: boolean; block?: boolean }): VNode {
  return useMemo(() => {
    const shown = text.length > 600 ? `${text.slice(0, 599)}…` : text;
    // Alone in its block, it decides the block's direction, which a `bdi` would not.
    const Around = block ? Fragment : "bdi";
    if (isHostile(shown)) return <Around>{shown}</Around>;
    const drawing = new Drawing(linked, 3);
    // A list or a heading is not what a short answer like "1. e4" or "#1" means.
    const whole = /^\s*(?:\\\[[\s\S]*\\\]|\$\$[\s\S]*\$\$)\s*$/.test(shown) ? shown.trim().slice(2, -2) : null;
    return <Around>{whole === null ? drawing.inline(lexed(shown, true), 0) : <Tex source={whole} display={false} />}</Around>;
  }, [text, linked, block]);
}

/** An exact text, as it was sent or received. */
export function Plain({ text }: { text: Text }): VNode {
  const [shown, setShown] = useState(FIRST_PIECE);
  const full = useText(text);
  if (full.error !== null) return <p class="problem">This text cannot be shown: {full.error}</p>;
  if (full.text === null) return <p class="quiet">Fetching the text …</p>;
  const whole = full.text;
  return (
    <div class="code">
      <div class="code-bar"><span>{count(whole.length, "character")}</span><CopyButton text={() => whole} what="the text" /></div>
      <pre class="exact" dir="auto">{whole.slice(0, shown)}</pre>
      {whole.length > shown && (
        <button type="button" class="more" onClick={() => setShown(shown + 5 * NEXT_PIECE)}>
          Show more ({count(whole.length - shown, "character")} left)
        </button>
      )}
    </div>
  );
}
