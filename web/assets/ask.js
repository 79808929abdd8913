/* Asks inside WeChat for consents to be told there: shows <section data-wechat-ask> once WeChat has let us use its tag, and not
   at all where it does not (old versions, a domain that is not set up). What was chosen WeChat tells our server itself. ES2017,
   no modules. */
(function () {
  'use strict';
  var section = document.querySelector('[data-wechat-ask]'), wx = window.wx;
  if (!section || !wx) return;
  var tag = section.querySelector('wx-open-subscribe'), said = section.querySelector('[data-wechat-said]');

  function hide() { section.hidden = true; }

  document.addEventListener('WeixinOpenTagsError', hide);
  tag.addEventListener('error', hide);
  tag.addEventListener('success', function () {
    said.textContent = said.getAttribute('data-wechat-said');
    tag.hidden = true;
  });
  fetch('/v1/wechat/js-config?url=' + encodeURIComponent(location.href.split('#')[0]), { credentials: 'same-origin' })
    .then(function (answer) { if (!answer.ok) throw new Error(String(answer.status)); return answer.json(); })
    .then(function (told) {
      wx.error(hide);
      wx.ready(function () { section.hidden = false; });
      wx.config({
        debug: false, appId: told.app_id, timestamp: told.timestamp, nonceStr: told.nonce_str, signature: told.signature,
        jsApiList: [], openTagList: ['wx-open-subscribe']
      });
    })
    .catch(hide);
})();
