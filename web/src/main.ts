import { hostSource } from "./host";
import { fileSource, hasData } from "./source";
import { start } from "./start";

// A host shows the page without data, in a frame.
start(window.parent !== window && !hasData() ? hostSource(window.parent) : fileSource());
