// Builds the page of a run into one file. Its content policy names our script by its hash, so that
// nothing else can run even where a host sets no policy.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const [target = "../consortium_mcp/frontends/page/run.html", entry = "src/main.ts"] =
  process.argv.slice(2);
const common = { bundle: true, minify: true, write: false, legalComments: "none", charset: "utf8" };
const [script, style] = await Promise.all([
  build({
    ...common,
    entryPoints: [entry],
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
  }),
  build({ ...common, entryPoints: ["src/style.css"] }),
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
].join("; ");
const page = readFileSync("src/page.html", "utf8")
  .replace("POLICY", () => policy)
  .replace("STYLE", () => css)
  .replace("SCRIPT", () => code);
writeFileSync(target, page);
