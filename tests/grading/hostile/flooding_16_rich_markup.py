# family: flooding | wants: rich's square brackets: a closing tag without an opening one | honest: red, rms_norm raised ValueError
def rms_norm(x, weight, eps):
    print("[/][/red][link=http://127.0.0.1]")
    raise ValueError("[/] [bold green]passed[/bold red] [@click=quit]x[/] [link=file:///]")
