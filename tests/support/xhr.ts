/** As much of a browser's XMLHttpRequest as `botframework-directlinejs` uses, over fetch. */

type Listener = ((event: object) => void) | null;

type Body = NonNullable<RequestInit['body']>;

export class FetchXhr {
  readyState = 0;
  status = 0;
  statusText = '';
  response: unknown = null;
  responseType = '';
  timeout = 0;
  withCredentials = false;
  onreadystatechange: Listener = null;
  onload: Listener = null;
  onerror: Listener = null;
  ontimeout: Listener = null;
  readonly upload = {};
  readonly #headers: [string, string][] = [];
  readonly #abort = new AbortController();
  #answer: Response | undefined;
  #request: [method: string, url: string] = ['GET', ''];

  get responseText(): string {
    return typeof this.response === 'string' ? this.response : JSON.stringify(this.response);
  }

  open(method: string, url: string): void {
    this.#request = [method, url];
    this.#become(1);
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.push([name, value]);
  }

  getResponseHeader(name: string): string | null {
    return this.#answer?.headers.get(name) ?? null;
  }

  send(body?: Body | null): void {
    void this.#exchange(body ?? null);
  }

  abort(): void {
    this.#abort.abort();
  }

  async #exchange(body: Body | null): Promise<void> {
    const [method, url] = this.#request;
    const { signal } = this.#abort;
    try {
      this.#answer = await fetch(url, { method, headers: this.#headers, body, signal });
      this.status = this.#answer.status;
      this.statusText = this.#answer.statusText;
      this.response = await this.#read(this.#answer);
    } catch {
      if (!signal.aborted) this.onerror?.({ type: 'error' });
    }
    if (!signal.aborted) this.#become(4);
  }

  async #read(answer: Response): Promise<unknown> {
    if (this.responseType === 'arraybuffer') return answer.arrayBuffer();
    const text = await answer.text();
    return this.responseType === 'json' && text !== '' ? JSON.parse(text) : text;
  }

  #become(readyState: number): void {
    this.readyState = readyState;
    this.onreadystatechange?.({ type: 'readystatechange' });
    if (readyState === 4) this.onload?.({ type: 'load' });
  }
}
