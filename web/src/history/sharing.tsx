// Who may read a run or use a consortium, where a server has more than one user.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { ask } from "./api";
import { useLoaded } from "./loaded";

const WHO = { private: "only you", team: "whoever is signed in", public: "everybody" };

type Visibility = keyof typeof WHO;

/** Nothing for what is somebody else's, and on one person's server. */
export function Sharing({ path, what }: { path: string; what: string }): VNode | null {
  const found = useLoaded<{ visibility: Visibility | null }>(`${path}/sharing`);
  const [chosen, setChosen] = useState<Visibility | null>(null);
  const [error, setError] = useState<string | null>(null);
  const now = chosen ?? found.value?.visibility;
  if (!now) return null;
  const share = async (visibility: Visibility): Promise<void> => {
    setError(null);
    try {
      await ask(`${path}/share`, {}, { body: { visibility } });
      setChosen(visibility);
    } catch (problem) {
      setError((problem as Error).message);
    }
  };
  return (
    <p class="filters sharing">
      <label>
        Who may {what}:{" "}
        <select value={now} onChange={(event) => void share(event.currentTarget.value as Visibility)}>
          {Object.entries(WHO).map(([name, words]) => <option key={name} value={name}>{words}</option>)}
        </select>
      </label>
      {error !== null && <span class="problem" role="alert">{error}</span>}
    </p>
  );
}
