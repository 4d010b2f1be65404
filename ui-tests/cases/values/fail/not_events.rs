struct Hello;

fn hello(link: &sente::Link) {
    link.send(Hello).ok();
}

fn main() {}
