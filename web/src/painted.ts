// When what was drawn first can be seen: what stands below it waits for that.

import { useLayoutEffect, useState } from "preact/hooks";
import { drawnAtOnce } from "./fold";

/** Milliseconds after which it counts as painted: what is out of sight is not. */
const OUT_OF_SIGHT = 300;

/** Whether the browser has painted the first drawing, or is about to print it. At once where nobody
 * `waits`. */
export function usePainted(waits: boolean): boolean {
  const [painted, setPainted] = useState(!waits);
  const [, drawAgain] = useState(0);
  useLayoutEffect(() => {
    if (painted) return undefined;
    const done = (): void => setPainted(true);
    // It may count as painted already, and only wait for its turn to be drawn.
    const print = (): void =>
      drawnAtOnce(() => {
        done();
        drawAgain((times) => times + 1);
      });
    let timer = setTimeout(done, OUT_OF_SIGHT);
    // A frame is painted after what was asked for it has run, and before the next task.
    const frame = requestAnimationFrame(() => {
      clearTimeout(timer);
      timer = setTimeout(done);
    });
    addEventListener("beforeprint", print);
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      removeEventListener("beforeprint", print);
    };
  }, [painted]);
  return painted;
}
