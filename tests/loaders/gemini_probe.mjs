// The agents that Gemini CLI's own loader finds in a folder, and what it says against the others, as JSON.
import { pathToFileURL } from "node:url";

const [, , loader, folder] = process.argv;
const { loadAgentsFromDirectory } = await import(pathToFileURL(loader));
const { agents, errors } = await loadAgentsFromDirectory(folder);
const shown = agents.map((agent) => ({
  name: agent.name,
  displayName: agent.displayName,
  description: agent.description,
  prompt: agent.promptConfig.systemPrompt,
  tools: agent.toolConfig?.tools ?? null,
}));
console.log(JSON.stringify({ agents: shown, errors: errors.map((error) => error.message) }));
