// A host of MCP Apps as the package's own bridge makes one: the page in a frame of another origin.

import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

type Context = Record<string, unknown>;
interface TestHost {
  /** Every message of the page, as it came. */
  raw: unknown[];
  sizes: number[];
  /** What the page asked of the host: the method, and its parameters. */
  asked: [string, unknown][];
  begin(address: string, capabilities: Record<string, object>, context: Context): Promise<void>;
  input(args: Record<string, unknown>): Promise<void>;
  result(result: unknown): Promise<void>;
  cancelled(reason?: string): Promise<void>;
  change(context: Context): void;
}
declare global {
  interface Window {
    testHost: TestHost;
    callTool(name: string, args: unknown): Promise<unknown>;
  }
}

let bridge: AppBridge;
const raw: unknown[] = [];
window.addEventListener("message", (event) => raw.push(event.data));
const sizes: number[] = [];
const asked: [string, unknown][] = [];

window.testHost = {
  raw,
  sizes,
  asked,
  async begin(address, capabilities, context) {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
    frame.style.cssText = "width: 100%; height: 60px; border: 0";
    document.getElementById("chat")!.append(frame);
    const view = frame.contentWindow!;
    bridge = new AppBridge(null, { name: "test host", version: "1" }, capabilities, { hostContext: context });
    const ready = new Promise<void>((done) => (bridge.oninitialized = () => done()));
    bridge.oncalltool = async ({ name, arguments: args }) => (await window.callTool(name, args ?? {})) as never;
    bridge.onsizechange = ({ height }) => {
      if (height === undefined) return;
      sizes.push(height);
      frame.style.height = `${height}px`;
    };
    const note = (method: string) => async (params: unknown) => {
      asked.push([method, params]);
      return {};
    };
    bridge.onopenlink = note("ui/open-link");
    bridge.onmessage = note("ui/message");
    bridge.ondownloadfile = note("ui/download-file");
    frame.src = address;
    await bridge.connect(new PostMessageTransport(view, view));
    await ready;
  },
  input: (args) => bridge.sendToolInput({ arguments: args }),
  result: (result) => bridge.sendToolResult(result as never),
  cancelled: (reason) => bridge.sendToolCancelled(reason === undefined ? {} : { reason }),
  change: (context) => bridge.setHostContext(context as never),
};
