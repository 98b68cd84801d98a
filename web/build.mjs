// Builds each page into one file. Its content policy names its script by its hash, so that nothing
// else can run even where a host sets no policy.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const PAGES = "../consortium_mcp/frontends/page";
const [folder = PAGES, entry] = process.argv.slice(2);
const common = { bundle: true, minify: true, write: false, legalComments: "none", charset: "utf8" };

/** Builds one page from a script and a style; `more` is what its content policy allows besides. */
async function page(file, title, entry, stylesheet, ...more) {
  const [script, style] = await Promise.all([
    build({
      ...common,
      entryPoints: [entry],
      format: "iife",
      target: "es2022",
      jsx: "automatic",
      jsxImportSource: "preact",
    }),
    build({ ...common, entryPoints: [stylesheet] }),
  ]);
  const code = script.outputFiles[0].text.trim().replaceAll("</script", "<\\/script");
  const css = style.outputFiles[0].text.trim();
  const hash = createHash("sha256").update(code).digest("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    ...more,
  ].join("; ");
  const filled = readFileSync("src/page.html", "utf8")
    .replace("POLICY", () => policy)
    .replace("TITLE", () => title)
    .replace("STYLE", () => css)
    .replace("SCRIPT", () => code);
  writeFileSync(file, filled);
}

if (entry) {
  // A page of the tests': the file to write, and its script.
  await page(folder, "Consultation", entry, "src/style.css");
} else {
  await page(join(folder, "run.html"), "Consultation", "src/main.ts", "src/style.css");
  await page(join(folder, "history.html"), "Consultations", "src/history/main.tsx", "src/history/style.css", "connect-src 'self'");
}
