/** The engine: compile -> observe -> plan -> execute serves every command alike. */

export { execute } from "./execute.ts";
export { Deposed } from "./execution.ts";
export { heal } from "./heal.ts";
export { lookAgain, observe, observeWith } from "./observe.ts";
export { liveOutputs, makePlan } from "./plan.ts";
export { presentView } from "./present.ts";
export { DEFAULT_SETTINGS, LOCAL_SETTINGS } from "./settings.ts";
