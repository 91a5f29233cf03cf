/** The controls and containers of templates, all of them. */
import "./button-parts";
import "./containers";
import "./messages";
import "./radio";
import "./slider";
import "./text-fields";
import "./ticks";
