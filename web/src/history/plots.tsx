// Two plain pictures: what was spent over time, and how far confidence can be trusted.

import type { VNode } from "preact";
import { dollars, percent } from "../words";
import type { Bin, CostLine } from "./api";

const WIDTH = 640;
const HEIGHT = 220;
const EDGE = 36;

export function CostsPlot({ lines }: { lines: CostLine[] }): VNode | null {
  const most = Math.max(...lines.map((line) => line.cost_usd ?? 0));
  if (!lines.length || most === 0) return null;
  const step = (WIDTH - 2 * EDGE) / lines.length;
  return (
    <svg class="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Costs by month; the table below has the numbers">
      <line x1={EDGE} y1={HEIGHT - EDGE} x2={WIDTH - EDGE} y2={HEIGHT - EDGE} class="axis" />
      <text x={EDGE} y={EDGE - 14}>{dollars(most)}</text>
      {lines.map((line, n) => {
        const height = ((HEIGHT - 2 * EDGE) * (line.cost_usd ?? 0)) / most;
        const shown = lines.length <= 12 || n % Math.ceil(lines.length / 12) === 0;
        return (
          <g key={line.name}>
            <rect x={EDGE + n * step + step * 0.15} y={HEIGHT - EDGE - height} width={step * 0.7} height={height} class="bar-confidence" />
            {shown && <text x={EDGE + (n + 0.5) * step} y={HEIGHT - EDGE + 18} text-anchor="middle">{line.name}</text>}
          </g>
        );
      })}
    </svg>
  );
}

const SIDE = 320;

/** A reliability diagram: what was said is right as often as it claims where a dot is on the line. */
export function ReliabilityPlot({ bins }: { bins: Bin[] }): VNode {
  const place = (share: number): number => EDGE + share * (SIDE - 2 * EDGE);
  const most = Math.max(...bins.map((bin) => bin.size));
  return (
    <svg class="plot square" viewBox={`0 0 ${SIDE} ${SIDE}`} role="img" aria-label="Share of right answers by confidence; the table below has the numbers">
      <line x1={EDGE} y1={SIDE - EDGE} x2={SIDE - EDGE} y2={SIDE - EDGE} class="axis" />
      <line x1={EDGE} y1={SIDE - EDGE} x2={EDGE} y2={EDGE} class="axis" />
      <line x1={EDGE} y1={SIDE - EDGE} x2={SIDE - EDGE} y2={EDGE} class="ideal" />
      <text x={SIDE / 2} y={SIDE - 8} text-anchor="middle">confidence</text>
      <text x={EDGE - 6} y={EDGE - 10}>right</text>
      {bins.map((bin) => (
        <circle key={bin.confidence} cx={place(bin.confidence)} cy={SIDE - place(bin.accuracy)} r={3 + 5 * Math.sqrt(bin.size / most)} class="bar-confidence">
          <title>{`${percent(bin.confidence)} said, ${percent(bin.accuracy)} right, ${bin.size} runs`}</title>
        </circle>
      ))}
    </svg>
  );
}
