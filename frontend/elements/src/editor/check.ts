/** What in a template will not work: the server's checker, asked for the newest text only. Knows nothing of the page. */
import { csrfToken } from "../kit/csrf";
import { msg, str } from "../locale";

export interface Finding { level: "error" | "warning"; code: string; line: number | null; message: string }
export interface Draft { template: string; hosts: string; sample: string }

/** Findings after which there is no page to show. */
const NO_PAGE = new Set(["template", "render", "sample"]);

/** Whether the template gives a page. */
export const shows = (findings: readonly Finding[]): boolean => !findings.some((one) => one.level === "error" && NO_PAGE.has(one.code));

const said = (message: string): Finding => ({ level: "error", code: "sample", line: null, message });

/** The sample as JSON, undefined for an empty one. Throws an Error that says what is wrong. */
export function sampleOf(text: string): Record<string, unknown> | undefined {
  if (!text.trim()) return undefined;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new Error(`The sample is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof found !== "object" || found === null || Array.isArray(found)) throw new Error("The sample is no JSON object.");
  return found as Record<string, unknown>;
}

interface Problem { detail?: string; title?: string; errors?: { field: string; reason: string }[] }

const wordsOf = (problem: Problem): string => {
  const fields = (problem.errors ?? []).map((one) => `${one.field}: ${one.reason}`).join(" ");
  return fields || problem.detail || problem.title || "the server refused it";
};

/** Asks the checker. A refusal is a finding as well; rejects only when `signal` aborts. */
export async function check(address: string, draft: Draft, signal: AbortSignal): Promise<Finding[]> {
  let input: Record<string, unknown> | undefined;
  try {
    input = sampleOf(draft.sample);
  } catch (error) {
    return [said((error as Error).message)];
  }
  const body = { template: draft.template, input, script_hosts: draft.hosts.toLowerCase().split(/[\s,]+/).filter(Boolean) };
  try {
    const response = await fetch(address, {
      method: "POST", body: JSON.stringify(body), signal,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
    });
    if (response.ok) return ((await response.json()) as { findings: Finding[] }).findings;
    return [said(msg(str`The check failed: ${wordsOf((await response.json()) as Problem)}`))];
  } catch (error) {
    if (signal.aborted) throw error;
    return [said(msg(str`The check failed: ${(error as Error).message}`))];
  }
}
