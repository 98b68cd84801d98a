// One bar in two layers: how many agree, and, within it, how sure that makes the answer.

import type { VNode } from "preact";
import { Region } from "./context";
import type { RunPage } from "./types";
import { percent } from "./words";

export function Confidence({ page }: { page: RunPage }): VNode | null {
  const { confidence, parts } = page;
  if (confidence === undefined) return null;
  const agreement = parts?.agreement;
  const words = page.equation ?? percent(confidence);
  return (
    <Region class="confidence" name="Confidence">
      <div
        class="meter"
        role="meter"
        aria-label="Confidence"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(confidence * 100)}
        aria-valuetext={words}
      >
        <strong class="number">{percent(confidence)}</strong>
        <svg class="bar" width="100%" height="14" aria-hidden="true" focusable="false">
          <rect class="bar-all" width="100%" height="14" rx="4" />
          {agreement !== undefined && <rect class="bar-agreement" width={`${agreement * 100}%`} height="14" rx="4" />}
          <rect class="bar-confidence" y="3" width={`${confidence * 100}%`} height="8" rx="2" />
        </svg>
      </div>
      {page.equation && <p class="equation">{page.equation}</p>}
      <p class="key" aria-hidden="true">
        <span><i class="swatch confidence-swatch" /> confidence</span>
        {agreement !== undefined && <span><i class="swatch agreement-swatch" /> agreement</span>}
        <span><i class="swatch all-swatch" /> of all</span>
      </p>
      {page.reason && <p class="reason quiet">{capital(page.reason)}</p>}
    </Region>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
