"""The page of the browser tests of controls and containers: every one of them, in one form."""

from tests.browser.elements_site import HEAD

CONTROLS = """
<crowd-alert type="info" dismissible id="hello">Read the <b>instructions</b> first.</crowd-alert>
<crowd-alert type="success">Saved.</crowd-alert>
<crowd-alert type="warning">One question is hard.</crowd-alert>
<crowd-alert type="error" id="errorBox">Something is missing.</crowd-alert>
<crowd-instructions link-text="Instructions" link-type="button">
  <short-summary><p>Look at the whole picture.</p></short-summary>
  <detailed-instructions><p>Count every bee, also those that are cut off.</p></detailed-instructions>
  <positive-example><p>A bee on a flower</p></positive-example>
  <negative-example><p>A wasp</p></negative-example>
</crowd-instructions>
<crowd-modal link-text="More about bees"><p>Bees have four wings.</p>
  <crowd-input name="source" label="Where do you know it from?"></crowd-input></crowd-modal>

<crowd-input name="title" label="Title" placeholder="What is it?" required></crowd-input>
<crowd-input name="code" label="Code" allowed-pattern="[0-9]" auto-validate error-message="Digits only"
  max-length="4" min-length="2"></crowd-input>
<crowd-input name="empty" label="May stay empty"></crowd-input>
<crowd-input name="off" label="Off" value="never" disabled></crowd-input>
<crowd-text-area name="story" label="Story" rows="2" max-rows="4" char-counter max-length="60"></crowd-text-area>

<crowd-checkbox name="seen" value="bee">Bee</crowd-checkbox>
<crowd-checkbox name="seen" value="wasp" checked>Wasp</crowd-checkbox>
<crowd-checkbox name="seen" value="ant" disabled>Ant</crowd-checkbox>
<crowd-checkbox name="agreed" required>I looked closely</crowd-checkbox>
<crowd-toggle-button name="sharp" value="sharp" checked>The picture is sharp</crowd-toggle-button>
<crowd-toggle-button name="night">Taken at night</crowd-toggle-button>

<crowd-radio-group id="size">
  <crowd-radio-button name="size" value="small">Small</crowd-radio-button>
  <crowd-radio-button name="size" value="medium">Medium</crowd-radio-button>
  <crowd-radio-button name="size" value="huge" disabled>Huge</crowd-radio-button>
  <crowd-radio-button name="size" value="large" checked>Large</crowd-radio-button>
</crowd-radio-group>
<p><crowd-radio-button name="alone" value="yes">Yes</crowd-radio-button></p>
<p><crowd-radio-button name="alone" value="no">No</crowd-radio-button></p>

<crowd-slider name="count" min="1" max="5" step="1" pin required>
  <crowd-slider-label position="1">few</crowd-slider-label><crowd-slider-label position="5">many</crowd-slider-label>
</crowd-slider>
<crowd-slider name="sure" min="0" max="10" value="3" editable secondary-progress="6"></crowd-slider>

<crowd-tabs>
  <crowd-tab header="First"><crowd-input name="first" label="First answer"></crowd-input></crowd-tab>
  <crowd-tab header="Second"><crowd-input name="second" label="Second answer" required></crowd-input></crowd-tab>
</crowd-tabs>
<crowd-card heading="A bee" image="/picture/1.png"><p>Seen in May.</p></crowd-card>

<p><crowd-icon-button icon="search" id="magnifier"></crowd-icon-button>
<crowd-badge for="magnifier" label="1234"></crowd-badge>
<crowd-fab icon="help" title="Help"></crowd-fab> <crowd-fab label="A" title="Add" id="add"></crowd-fab>
<crowd-fab label="D" title="Down" disabled></crowd-fab></p>
<crowd-toast id="told" duration="0">Well done</crowd-toast>
<p><crowd-button form-action="submit" variant="primary" icon="send">Hand in</crowd-button>
<crowd-button form-action="reset">Start over</crowd-button>
<crowd-button variant="link" href="/picture/1.png" target="_blank" icon="launch"
  icon-align="right">Picture</crowd-button>
<crowd-button variant="icon" icon="thumb-up" aria-label="Like"></crowd-button>
<crowd-button loading>Waiting</crowd-button> <crowd-button disabled id="still">Still</crowd-button></p>
"""


def page(content: str = CONTROLS, *, form: str = "", after: str = "", before: str = "") -> str:
    """A page with the content in one crowd form, with these attributes; `before` and `after` stand around the form."""
    return f"""{HEAD}<body><script type="module" src="/harness.js"></script><main><h1>Bees</h1>{before}
    <crowd-form {form}>{content}</crowd-form>{after}</main></body></html>"""
