// Stands behind the module that wasm-bindgen writes: starts it, then wakes the islands of the
// page from top to bottom. An island that fails is reported and leaves the others alone.
const vtWake = async (node, exports, parents) => {
  if (node.localName === "leptos-island") {
    const name = node.dataset.component;
    try {
      if (!exports[name]) throw new Error("this build has no such island");
      parents.at(-1)?.();
      await exports[name](node);
    } catch (error) {
      console.error(`island ${name}:`, error);
      // What failed has left its own reactive scope behind as the current one.
      exports.hydrate();
    }
  }
  const children = node.localName === "leptos-children";
  if (children) parents.push(node.$$on_hydrate);
  for (const child of node.children) await vtWake(child, exports, parents);
  if (children) parents.pop();
};
(async () => {
  const exports = await import(import.meta.url);
  await exports.default({ module_or_path: new URL("VANTAGE_WASM", import.meta.url) });
  exports.hydrate();
  await vtWake(document.body, exports, []);
  document.documentElement.dataset.awake = "";
})();
