// What single commands of TeX stand for: identifiers (`i`) and operators (`o`).

const identifiers =
  "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ " +
  "mu μ nu ν xi ξ pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω " +
  "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω infty ∞ hbar ℏ ell ℓ Re ℜ Im ℑ " +
  "aleph ℵ partial ∂ emptyset ∅ varnothing ∅ dots … ldots … cdots ⋯ vdots ⋮ ddots ⋱ dotsc … dotsb ⋯ degree ° top ⊤ bot ⊥ imath ı jmath ȷ " +
  "% % $ $ # # & & _ _";
const operators =
  "times × cdot ⋅ div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet • oplus ⊕ otimes ⊗ le ≤ leq ≤ ge ≥ geq ≥ lt < gt > ne ≠ neq ≠ " +
  "approx ≈ equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ ll ≪ gg ≫ in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ " +
  "supseteq ⊇ cup ∪ cap ∩ setminus ∖ land ∧ wedge ∧ lor ∨ vee ∨ neg ¬ lnot ¬ forall ∀ exists ∃ nexists ∄ to → " +
  "rightarrow → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ implies ⟹ iff ⟺ mapsto ↦ " +
  "longrightarrow ⟶ uparrow ↑ downarrow ↓ gets ← nabla ∇ angle ∠ perp ⊥ parallel ∥ mid ∣ nmid ∤ vdash ⊢ models ⊨ " +
  "therefore ∴ because ∵ langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ lvert | rvert | vert | lVert ‖ rVert ‖ Vert ‖ | ‖ " +
  "{ { } } prime ′ backslash \\ colon : triangle △ square □ dagger † asymp ≍ doteq ≐ leqslant ⩽ geqslant ⩾ hookrightarrow ↪ " +
  "lbrace { rbrace } lbrack [ rbrack ] checkmark ✓ blacksquare ■ Box □";

export const SYMBOLS: Record<string, ["i" | "o", string]> = {};
for (const [kind, list] of [["i", identifiers], ["o", operators]] as const) {
  const parts = list.split(" ");
  for (let n = 0; n + 1 < parts.length; n += 2) SYMBOLS[`\\${parts[n]}`] = [kind, parts[n + 1]!];
}

export const LARGE = new Map([
  ["\\sum", "∑"], ["\\prod", "∏"], ["\\coprod", "∐"], ["\\int", "∫"], ["\\iint", "∬"], ["\\iiint", "∭"], ["\\oint", "∮"],
  ["\\bigcup", "⋃"], ["\\bigcap", "⋂"], ["\\bigoplus", "⨁"], ["\\bigotimes", "⨂"], ["\\bigvee", "⋁"], ["\\bigwedge", "⋀"],
]);

export const SPACES: Record<string, string> = {
  "\\,": "0.17em", "\\:": "0.22em", "\\;": "0.28em", "\\!": "-0.17em", "\\ ": "0.25em", "\\quad": "1em", "\\qquad": "2em", "\\>": "0.22em",
};

export const FUNCTIONS = new Set(
  ("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp lim max min sup inf det dim ker gcd " +
    "deg arg Pr hom limsup liminf").split(" "),
);

export const ACCENTS: Record<string, [string, "mover" | "munder"]> = {
  hat: ["^", "mover"], widehat: ["^", "mover"], bar: ["¯", "mover"], overline: ["¯", "mover"], vec: ["→", "mover"],
  overrightarrow: ["→", "mover"], tilde: ["~", "mover"], widetilde: ["~", "mover"], dot: ["˙", "mover"],
  ddot: ["¨", "mover"], underline: ["_", "munder"], overbrace: ["⏞", "mover"], underbrace: ["⏟", "munder"],
};
