import { fileSource } from "./source";
import { start } from "./start";

start(fileSource());
