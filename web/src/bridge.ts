// The few messages of MCP Apps (2026-01-26) that the page and its host exchange: JSON-RPC by
// postMessage. `tests/web/test_bridge.py` holds them to the schema of `@modelcontextprotocol/ext-apps`.

export interface HostContext {
  theme?: "light" | "dark";
  styles?: { variables?: Record<string, string | undefined>; css?: { fonts?: string } };
  toolInfo?: { id?: string | number; tool?: { name: string } };
}

export interface HostCapabilities {
  openLinks?: object;
  downloadFile?: object;
  serverTools?: object;
  message?: object;
}

export interface Initialized {
  hostCapabilities?: HostCapabilities;
  hostContext?: HostContext;
}

export interface ToolResult {
  content?: { type: string; text?: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
  inputRequests?: Record<string, { params?: { message?: string } }>;
  _meta?: Record<string, unknown>;
}

interface Message {
  jsonrpc: "2.0";
  id?: string | number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
}

interface Waiting {
  done: (result: Record<string, unknown>) => void;
  failed: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** The host did not answer in time. */
export class NoAnswer extends Error {}

const UNKNOWN_METHOD = -32601;

/** One end of the wire to the host. */
export class Bridge {
  private next = 1;
  private readonly waiting = new Map<string | number, Waiting>();

  /** Calls `told` with each notification of the host. */
  constructor(
    private readonly host: Window,
    private readonly told: (method: string, params: Record<string, unknown>) => void,
  ) {
    window.addEventListener("message", (event: MessageEvent<unknown>) => {
      if (event.source === this.host && isMessage(event.data)) this.take(event.data);
    });
  }

  /** Asks the host. Rejects with the host's error, or with `NoAnswer` after so many seconds. */
  request(method: string, params: Record<string, unknown>, seconds: number): Promise<Record<string, unknown>> {
    const id = this.next++;
    return new Promise((done, failed) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        failed(new NoAnswer(`The host has not answered ${method}.`));
      }, seconds * 1000);
      this.waiting.set(id, { done, failed, timer });
      this.send({ jsonrpc: "2.0", id, method, params });
    });
  }

  notify(method: string, params: Record<string, unknown> = {}): void {
    this.send({ jsonrpc: "2.0", method, params });
  }

  private send(message: Message): void {
    // The page does not know its host's origin, and tells it nothing that the host has not given.
    this.host.postMessage(message, "*");
  }

  private take(message: Message): void {
    if (message.method !== undefined) {
      if (message.id === undefined) this.told(message.method, message.params ?? {});
      else this.send({ jsonrpc: "2.0", id: message.id, ...answerTo(message.method) });
      return;
    }
    const waiting = message.id === undefined ? undefined : this.waiting.get(message.id);
    if (message.id === undefined || !waiting) return;
    this.waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.error) waiting.failed(new Error(message.error.message));
    else waiting.done(message.result ?? {});
  }
}

/** Every request of the host is answered: a host may wait for it before it takes the page down. */
function answerTo(method: string): Pick<Message, "result" | "error"> {
  if (method === "ping" || method === "ui/resource-teardown") return { result: {} };
  return { error: { code: UNKNOWN_METHOD, message: `The page does not know ${method}.` } };
}

const isMessage = (data: unknown): data is Message =>
  typeof data === "object" && data !== null && (data as Message).jsonrpc === "2.0";
