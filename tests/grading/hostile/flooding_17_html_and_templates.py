# family: flooding | wants: HTML, a template's braces, and what ends a JSON script block | honest: red, rms_norm raised ValueError
def rms_norm(x, weight, eps):
    raise ValueError(
        "</script><script>document.title='green'</script><img src=x onerror=alert(1)>"
        "{{ 7 * 7 }}{% for x in y %}{# ]]> &nbsp; <!-- %s %(x)s {0.__class__} ${HOME} `id`"
    )
